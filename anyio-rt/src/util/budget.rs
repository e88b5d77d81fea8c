//! The budget that keeps a loop over always-ready operations from starving everybody else.

use std::cell::Cell;
use std::task::{Context, Poll};

/// Every how many operations on a thread one gives way.
const EVERY: u32 = 128;

thread_local! {
    static USED: Cell<u32> = const { Cell::new(0) };
}

/// Counts one operation; every 128th on this thread wakes itself and gives `Pending`.
///
/// The count belongs to the thread, not to a task, so that it needs no help from a runtime: who
/// gives way is arbitrary, that somebody does within 128 operations is certain.
#[inline]
pub(crate) fn poll_proceed(cx: &Context<'_>) -> Poll<()> {
    // In one access: `Cell::set` through a thread-local is not inlined by the standard library.
    let proceeds = USED.with(|count| {
        let used = count.get() + 1;
        count.set(if used < EVERY { used } else { 0 });
        used < EVERY
    });
    if proceeds {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}
