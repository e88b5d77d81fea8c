//! What tests need of a runtime.

mod runner;

pub(crate) use runner::run_test;
