//! The manual, a page for each room. Every block of code in it is compiled and run as a test.

// The programs on the pages choose between the backends, so they are tested where both are compiled in.
#![cfg(not(all(doctest, not(all(feature = "tokio", feature = "smol")))))]

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
