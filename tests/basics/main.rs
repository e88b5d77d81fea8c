//! Manual: docs/manual/basics.md

#![allow(
    clippy::disallowed_methods,
    reason = "what works in tasks and threads that were started otherwise is the question"
)]

mod choosing;
mod main_attribute;
mod nested;
mod running;
mod support;
mod test_attribute;
mod threads;
mod time;
mod without_run;
