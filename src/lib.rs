//! x
extern crate self as anyio;
pub use anyio_rt::*;
pub use anyio_macros::*;
