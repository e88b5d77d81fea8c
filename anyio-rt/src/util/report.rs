//! Telling what no return value can tell.
//!
//! Three things in this crate have no caller left to report to: clean-up that a foreign drop made
//! impossible, a panic after the first one of a group, and a child that a dropped group leaves to
//! the runtime. Each is an event (`tracing`, target `anyio`) and a count that the test harness reads.

use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often a shielded part or a pending clean-up was dropped from outside.
static LOST_CLEAN_UPS: AtomicUsize = AtomicUsize::new(0);
/// How many panics of children came after the first of their group.
static FURTHER_PANICS: AtomicUsize = AtomicUsize::new(0);

/// Something that holds cancellation off was dropped before it was done.
pub(crate) fn lost_clean_up(what: &str, location: &Location<'_>) {
    LOST_CLEAN_UPS.fetch_add(1, Ordering::Relaxed);
    event(format_args!(
        "{what} at {location} was dropped from outside before it was done"
    ));
}

/// A second child of a group panicked; only the first panic is resumed.
pub(crate) fn further_panic(text: &str, location: &Location<'_>) {
    FURTHER_PANICS.fetch_add(1, Ordering::Relaxed);
    event(format_args!(
        "a further panic in a task group, from the child spawned at {location}: {text}"
    ));
}

/// How often a shielded part or a clean-up of `finally!` or `with!` was dropped from outside before it
/// was done, in this process so far.
///
/// Nothing in this crate does that; a foreign `select!`, an aborted tokio task or a runtime that shuts
/// down does. For tests: the number should not rise.
///
/// ```
/// use std::future::{Future, pending, poll_fn};
/// use std::task::Poll;
///
/// let before = anyio::lost_clean_ups();
/// let mut shielded = Box::pin(anyio::shield(pending::<()>()));
/// anyio::run(anyio::Backend::default(), poll_fn(|cx| {
///     assert!(shielded.as_mut().poll(cx).is_pending());
///     Poll::Ready(())
/// }))?;
/// drop(shielded);
/// assert_eq!(anyio::lost_clean_ups(), before + 1);
/// # Ok::<(), anyio::RunError>(())
/// ```
#[must_use]
pub fn lost_clean_ups() -> usize {
    LOST_CLEAN_UPS.load(Ordering::Relaxed)
}

/// How often a child of a task group panicked after another one of its group had, in this process so
/// far. Only the first panic of a group goes on at its end.
///
/// ```
/// use std::panic::{AssertUnwindSafe, catch_unwind};
///
/// # std::panic::set_hook(Box::new(|_| ()));
/// let before = anyio::further_panics();
/// let first = catch_unwind(AssertUnwindSafe(|| {
///     anyio::run(anyio::Backend::default(), async {
///         anyio::task_group!(|tg| {
///             tg.spawn(async { panic!("one") });
///             tg.spawn(async { panic!("two") });
///         })
///     })
/// }));
/// assert!(first.is_err());
/// assert_eq!(anyio::further_panics(), before + 1);
/// ```
#[must_use]
pub fn further_panics() -> usize {
    FURTHER_PANICS.load(Ordering::Relaxed)
}

#[cfg(feature = "tracing")]
fn event(message: std::fmt::Arguments<'_>) {
    tracing::warn!(target: "anyio", "{message}");
}

#[cfg(not(feature = "tracing"))]
fn event(_message: std::fmt::Arguments<'_>) {}
