//! Manual: docs/manual/cancellation.md

#![allow(
    clippy::disallowed_methods,
    reason = "some tests need a thread that no runtime knows of"
)]

mod absorbing;
mod catching;
mod checkpoints;
mod deadlines;
mod depth;
mod dropped;
mod foreign;
mod handles;
mod misuse;
mod moved;
mod nested_deadlines;
#[cfg(feature = "tokio")] // for its clock, which can be stopped
mod random_deadlines;
mod reasons;
mod scopes;
mod shields;
mod support;
mod switched_shields;
mod timeouts;
#[cfg(feature = "tokio")] // for its clock, which can be stopped
mod virtual_time;
