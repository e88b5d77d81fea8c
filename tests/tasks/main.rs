//! Manual: docs/manual/tasks.md

mod cancelling;
mod error_groups;
mod errors;
mod groups;
mod handles;
mod names;
mod results;
mod start;
mod support;
