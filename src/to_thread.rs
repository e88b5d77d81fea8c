//! Calling blocking code from async code.

pub use anyio_rt::{RunSync, run_sync};
