//! Comparing wakers without keeping them.

use std::task::{Context, Waker};

/// What makes two wakers wake the same task; good only while one of the two is kept alive.
///
/// Equal ones do. Unequal ones may: the table of a waker's clone need not lie where that of the original does
/// (the compiler may have made two of it). So compare the wakers of contexts with each other, not with clones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WakerId(usize, usize);

impl WakerId {
    /// That of no waker.
    pub(crate) const NONE: Self = Self(0, 0);

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
