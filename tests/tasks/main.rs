//! Manual: docs/manual/tasks.md

#![allow(clippy::disallowed_methods)] // some of these tests are about foreign tasks and threads

mod cancelled;
mod cancelling;
mod combinators;
mod dropped;
mod error_groups;
mod errors;
mod groups;
mod handle_cancelling;
mod handles;
mod limits;
mod names;
mod panics;
mod parallel;
mod results;
mod start;
mod start_cancelled;
mod support;
mod threads;
