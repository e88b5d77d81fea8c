//! The narrow contract between this crate and a runtime.
//!
//! A backend supplies: a way to run a future to its end ([`Backend`]), a way to start another task, a
//! blocking pool ([`Env`]), a clock and a timer ([`Timer`]). Everything else (scopes, groups, handles,
//! joining) is written once above it, over nothing but polling and waking.
//!
//! `tokio.rs` and `smol.rs` export the same names in the same order, so that the two compare line by
//! line. Cargo features only add backends; which one serves a call is found at the call ([`Env::current`]):
//!
//! 1. the environment that [`run`](crate::run) and every task started by this crate set while they are
//!    polled;
//! 2. else the tokio runtime this thread is in, so that everything works in a plain `#[tokio::main]`;
//! 3. else there is none: [`NoBackendError`], which names the remedies.

mod choice;
mod env;
mod error;
#[cfg(feature = "smol")]
mod smol;
mod timer;
#[cfg(feature = "tokio")]
mod tokio;

pub use choice::{Backend, Smol, Tokio, UnknownBackendError, all_backends, available_backends};
pub(crate) use env::Env;
pub use error::{NoBackendError, RunError};
pub(crate) use timer::Timer;

/// Whether the task that runs now may do more work in this poll, as far as its runtime has a say.
///
/// Asked between the members of a group: once tokio's budget for a task is used up, its resources refuse
/// to work until the task has yielded, so that polling more members would be for nothing.
#[inline]
pub(crate) fn has_budget() -> bool {
    #[cfg(feature = "tokio")]
    let has = ::tokio::task::coop::has_budget_remaining();
    #[cfg(not(feature = "tokio"))]
    let has = true;
    has
}
