//! The tokio backend: multi-thread, current-thread, or a runtime that was there already.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::{Builder, Handle};
use tokio::time::Sleep;

use super::choice::Tokio;
use super::env::{Env, Kind};
use super::error::RunError;

/// Runs the future that `make` gives to its end.
pub(super) fn block_on<F: Future>(
    options: Tokio,
    make: impl FnOnce(Env) -> F,
) -> Result<F::Output, RunError> {
    let runtime = match options.runtime {
        Some(runtime) => runtime,
        None => {
            let mut builder = if options.current_thread {
                Builder::new_current_thread()
            } else {
                Builder::new_multi_thread()
            };
            if let Some(count) = options.worker_threads {
                builder.worker_threads(count.get());
            }
            builder.enable_all().build()?.into()
        }
    };
    let env = Env::new(Kind::Tokio(runtime.handle().clone()));
    Ok(runtime.block_on(make(env)))
}

/// The name of this backend if the caller is inside one of its tasks.
pub(super) fn running() -> Option<&'static str> {
    tokio::task::try_id().map(|_| "tokio")
}

/// Whether the caller is in a runtime, in one of its tasks or not.
#[inline]
pub(super) fn is_current() -> bool {
    // The first question is the cheaper one.
    tokio::task::try_id().is_some() || Handle::try_current().is_ok()
}

/// The clock of the runtime, which a test may have paused.
#[inline]
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[allow(clippy::disallowed_methods)] // this is what groups spawn with
pub(super) fn spawn(handle: &Handle, future: impl Future<Output = ()> + Send + 'static) {
    drop(handle.spawn(future));
}

pub(super) fn spawn_blocking(handle: &Handle, f: impl FnOnce() + Send + 'static) {
    drop(handle.spawn_blocking(f));
}

/// A timer for one deadline.
pub(super) type RawTimer = Sleep;

#[inline]
pub(super) fn timer(deadline: Instant) -> RawTimer {
    tokio::time::sleep_until(deadline.into())
}

/// Polls the timer. It counts against nobody's cooperative budget: a timer that is refused a poll is
/// not registered, and a scope polls its timer once, not until it succeeds.
#[inline]
pub(super) fn poll_timer(timer: Pin<&mut RawTimer>, cx: &mut Context<'_>) -> Poll<()> {
    let mut timer = tokio::task::unconstrained(timer);
    Pin::new(&mut timer).poll(cx)
}

pub(super) fn reset_timer(timer: Pin<&mut RawTimer>, deadline: Instant) {
    timer.reset(deadline.into());
}

#[inline]
pub(super) fn timer_deadline(timer: &RawTimer) -> Instant {
    timer.deadline().into_std()
}

/// Whether the timer went off, without polling it.
#[inline]
pub(super) fn timer_fired(timer: &RawTimer) -> bool {
    timer.is_elapsed()
}
