//! The life of a child in one atomic word.
//!
//! Everything that two threads could disagree about is decided by a single read-modify-write of this
//! word: who queues the child, who frees it, and who drops the value it left.
//!
//! # Invariants
//!
//! 1. *One queue entry.* Whoever turns `QUEUED` on ([`State::queue`]) puts the child into a queue, and
//!    nobody else does until it is taken out ([`State::unqueue`]).
//! 2. *One release.* The driver's reference is dropped by the driver if the child was in no queue when
//!    the driver let go ([`State::finish`], [`State::let_go`]), and otherwise by whoever takes it out of
//!    the queue, or finds the queue closed ([`State::refused`]).
//! 3. *One owner of the value.* A value stays in the slot only for a handle. If the handle was gone when
//!    the child ended, the one who ended it drops the value; otherwise the handle does
//!    ([`State::drop_handle`]).
//! 4. The phase is written once, after the slot, with release ordering; read with acquire.

use crate::util::sync::{AtomicU32, Ordering};

const QUEUED: u32 = 1;
const DEAD: u32 = 1 << 1;
const HANDLE: u32 = 1 << 2;
const CANCEL: u32 = 1 << 3;
const WAITED: u32 = 1 << 4;
const DOOMED: u32 = 1 << 5;
const ORPHAN: u32 = 1 << 6;
const PHASE: u32 = 7 << 7;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Phase {
    /// A value is in the slot, or was.
    Value = 1 << 7,
    /// Dropped by a cancellation.
    Cancelled = 2 << 7,
    /// Its error is in the slot, or was.
    Failed = 3 << 7,
    Panicked = 4 << 7,
}

/// A look at the word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u32);

impl Seen {
    pub(crate) fn phase(self) -> Option<Phase> {
        [Phase::Value, Phase::Cancelled, Phase::Failed, Phase::Panicked]
            .into_iter()
            .find(|phase| self.0 & PHASE == *phase as u32)
    }

    /// Whether the child has ended.
    pub(crate) fn ended(self) -> bool {
        self.0 & PHASE != 0
    }

    /// How the child ended, once the driver has taken note of it.
    pub(crate) fn settled(self) -> Option<Phase> {
        if self.dead() { self.phase() } else { None }
    }

    /// Whether the driver has let go of the child.
    pub(crate) fn dead(self) -> bool {
        self.0 & DEAD != 0
    }

    pub(crate) fn queued(self) -> bool {
        self.0 & QUEUED != 0
    }

    /// Whether there is a handle.
    pub(crate) fn handle(self) -> bool {
        self.0 & HANDLE != 0
    }

    /// Whether the child was cancelled through its handle.
    pub(crate) fn cancel(self) -> bool {
        self.0 & CANCEL != 0
    }

    /// Whether a cancellation reaches the child itself, through its handle or (mirrored) its group.
    pub(crate) fn cancelled(self) -> bool {
        self.0 & (CANCEL | DOOMED) != 0
    }

    /// Whether somebody waits for the end.
    pub(crate) fn waited(self) -> bool {
        self.0 & WAITED != 0
    }

    /// Whether the group was dropped while the child still ran.
    pub(crate) fn orphan(self) -> bool {
        self.0 & ORPHAN != 0
    }
}

/// The word.
#[derive(Debug)]
pub(crate) struct State(AtomicU32);

impl State {
    /// A new child with a handle, which is about to be put into a queue.
    pub(crate) fn queued_with_handle() -> Self {
        Self(AtomicU32::new(QUEUED | HANDLE))
    }

    /// A new child with a handle, in no queue.
    pub(crate) fn idle_with_handle() -> Self {
        Self(AtomicU32::new(HANDLE))
    }

    /// A new child without a handle, which is about to be put into a queue.
    pub(crate) fn queued() -> Self {
        Self(AtomicU32::new(QUEUED))
    }

    pub(crate) fn look(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    fn set(&self, bits: u32) -> Seen {
        Seen(self.0.fetch_or(bits, Ordering::AcqRel))
    }

    fn clear(&self, bits: u32) -> Seen {
        Seen(self.0.fetch_and(!bits, Ordering::AcqRel))
    }

    /// Whether the caller must put the child into a queue now.
    pub(crate) fn queue(&self) -> bool {
        let before = self.set(QUEUED);
        !before.queued() && !before.dead()
    }

    /// The child was taken out of a queue.
    ///
    /// If the driver has let go of it, the caller has its reference now (invariant 2).
    pub(crate) fn unqueue(&self) -> Seen {
        self.clear(QUEUED)
    }

    /// The queue that the child should have gone into is closed.
    ///
    /// If the driver has let go of it, the caller has its reference now (invariant 2).
    pub(crate) fn refused(&self) -> Seen {
        self.clear(QUEUED)
    }

    /// The driver's child has ended, the slot is written, and the driver lets go.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    pub(crate) fn finish(&self, phase: Phase) -> Seen {
        self.set(phase as u32 | DEAD | QUEUED)
    }

    /// A child that somebody else polls has ended; the slot is written. If the handle was gone, the caller
    /// drops the value (invariant 3).
    pub(crate) fn finish_elsewhere(&self, phase: Phase) -> Seen {
        self.set(phase as u32)
    }

    /// The driver lets go of a child that ended elsewhere.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    pub(crate) fn let_go(&self) -> Seen {
        self.set(DEAD | QUEUED)
    }

    /// The driver goes away while somebody else still polls the child.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    pub(crate) fn abandon(&self) -> Seen {
        self.set(DEAD | QUEUED | DOOMED | ORPHAN)
    }

    /// Cancels the child alone.
    pub(crate) fn cancel(&self) -> Seen {
        self.set(CANCEL)
    }

    /// Mirrors whether a cancellation of the group reaches a child that somebody else polls.
    pub(crate) fn set_doomed(&self, doomed: bool) -> Seen {
        if doomed { self.set(DOOMED) } else { self.clear(DOOMED) }
    }

    /// Somebody waits for the end; look again after this.
    pub(crate) fn set_waited(&self) -> Seen {
        self.set(WAITED)
    }

    /// The handle goes. If the child has ended with a value, the caller drops it (invariant 3).
    pub(crate) fn drop_handle(&self) -> Seen {
        self.clear(HANDLE)
    }
}
