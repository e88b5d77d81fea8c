//! What other threads hand to a driver: a lock-free stack that is always emptied as a whole.
//!
//! Any thread pushes; the driver takes everything at once and turns it round, so that children come in
//! the order they were pushed in. Taking all of it is what rules out the ABA problem of stacks. Once
//! closed, it refuses.
//!
//! # Invariants
//!
//! 1. `head` is null, the closed mark, or the start of a list of nodes linked by [`Linked::next`] that
//!    ends in null.
//! 2. A node is in the stack at most once. The pusher sees to that, and keeps it alive until somebody
//!    has taken it out.
//! 3. `next` of a node belongs to the pusher until its `compare_exchange` succeeds, and to the taker
//!    after the taker's `swap`; the release of the one and the acquire of the other order the two.

#![allow(unsafe_code)] // dereferences nodes under invariant 2

use std::ptr::{self, NonNull};

use super::state::State;
use crate::util::sync::{AtomicPtr, Ordering};

/// A node that carries its own link, and the state that says whether it is queued.
pub(crate) trait Linked: Sized {
    fn next(&self) -> &AtomicPtr<Self>;
    fn state(&self) -> &State;
}

/// A stack of nodes that belong to others.
#[derive(Debug)]
pub(crate) struct Stack<T> {
    head: AtomicPtr<T>,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is the first since the driver last looked: wake it.
    First,
    More,
    /// The stack is closed and the node is not in it.
    Refused {
        /// Whether the driver has left its reference to the caller.
        release: bool,
    },
}

impl<T: Linked> Stack<T> {
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// An address that is no node's.
    fn closed_mark() -> *mut T {
        ptr::without_provenance_mut(1)
    }

    /// Puts `node`, whose state the caller has just turned to queued, on top.
    ///
    /// # Safety
    ///
    /// `node` is in no stack, and stays alive until somebody has taken it out of this one.
    pub(crate) unsafe fn push(&self, node: NonNull<T>) -> Pushed {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == Self::closed_mark() {
                // SAFETY: alive by the caller's promise.
                let seen = unsafe { node.as_ref() }.state().refused();
                return Pushed::Refused {
                    release: seen.dead(),
                };
            }
            // SAFETY: alive by the caller's promise; `next` is ours by invariant 3.
            unsafe { node.as_ref() }
                .next()
                .store(head, Ordering::Relaxed);
            match self.head.compare_exchange_weak(
                head,
                node.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) if head.is_null() => return Pushed::First,
                Ok(_) => return Pushed::More,
                Err(now) => head = now,
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Takes everything out, first pushed first.
    pub(crate) fn take(&self) -> Taken<T> {
        if self.is_empty() {
            return Taken {
                next: ptr::null_mut(),
            };
        }
        Taken::turned(self.head.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Takes everything out and refuses whatever comes later.
    pub(crate) fn close(&self) -> Taken<T> {
        Taken::turned(self.head.swap(Self::closed_mark(), Ordering::AcqRel))
    }
}

/// Nodes taken out of a [`Stack`].
#[derive(Debug)]
pub(crate) struct Taken<T> {
    next: *mut T,
}

impl<T: Linked> Taken<T> {
    fn turned(mut head: *mut T) -> Self {
        let mut turned = ptr::null_mut();
        if head == Stack::closed_mark() {
            return Self { next: turned };
        }
        while let Some(node) = NonNull::new(head) {
            // SAFETY: a node of the stack (invariants 1 and 2), whose link is the taker's (invariant 3).
            let next = unsafe { node.as_ref() }.next();
            head = next.load(Ordering::Relaxed);
            next.store(turned, Ordering::Relaxed);
            turned = node.as_ptr();
        }
        Self { next: turned }
    }
}

impl<T: Linked> Iterator for Taken<T> {
    type Item = NonNull<T>;

    fn next(&mut self) -> Option<NonNull<T>> {
        let node = NonNull::new(self.next)?;
        // SAFETY: as in `turned`; the caller has not been given this node yet, so it is still alive.
        self.next = unsafe { node.as_ref() }.next().load(Ordering::Relaxed);
        Some(node)
    }
}
