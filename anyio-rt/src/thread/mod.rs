//! Blocking code on worker threads.

mod to_thread;

pub use to_thread::{RunSync, run_sync};
