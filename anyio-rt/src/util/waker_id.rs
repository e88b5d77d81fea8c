//! Comparing wakers without keeping them.

use std::task::{Context, Waker};

/// What makes two wakers wake the same task; good only while one of the two is kept alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WakerId(usize, usize);

impl WakerId {
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(
            waker.data().addr(),
            std::ptr::from_ref(waker.vtable()).addr(),
        )
    }

    #[inline]
    pub(crate) fn in_context(cx: &Context<'_>) -> Self {
        Self::of(cx.waker())
    }
}
