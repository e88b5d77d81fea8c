//! x
extern crate self as anyio;
pub use anyio_macros::*;
pub use anyio_rt::*;
pub mod to_thread {
    pub use anyio_rt::run_sync;
}

#[doc(hidden)]
pub mod __private {
    pub use crate::{__when_smol as when_smol, __when_tokio as when_tokio};
    pub use anyio_rt::__private::*;
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "tokio")]
macro_rules! __when_tokio { ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($then)* }; }
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "tokio"))]
macro_rules! __when_tokio { ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($otherwise)* }; }
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "smol")]
macro_rules! __when_smol { ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($then)* }; }
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "smol"))]
macro_rules! __when_smol { ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($otherwise)* }; }
