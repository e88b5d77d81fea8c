//! Manual: docs/manual/tasks.md

mod cancelling;
mod errors;
mod groups;
mod handles;
mod start;
mod support;
