//! The ready queue and the state of a child.

#[path = "../../../src/task/ready.rs"]
pub(crate) mod ready;
#[path = "../../../src/task/state.rs"]
pub(crate) mod state;
