//! Manual: docs/manual/cancellation.md
//!
//! What leaves the block of a macro and what stays in it, in every macro that takes a block.

#![allow(
    clippy::diverging_sub_expression,
    clippy::needless_return,
    clippy::never_loop,
    clippy::needless_question_mark,
    reason = "control flow is what is tested"
)]

mod every_macro;
mod left_alone;
mod nested;
mod question_mark;
