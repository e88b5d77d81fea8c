//! The manual, a page for each room. Every block of code in it is compiled and run as a test.

#[doc = include_str!("../docs/manual/basics.md")]
pub mod basics {}

#[doc = include_str!("../docs/manual/tasks.md")]
pub mod tasks {}

#[doc = include_str!("../docs/manual/cancellation.md")]
pub mod cancellation {}

#[doc = include_str!("../docs/manual/contextmanagers.md")]
pub mod contextmanagers {}

#[doc = include_str!("../docs/divergences.md")]
pub mod divergences {}

/// The README, whose code is tested like the manual's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
