//! The life of a child in one atomic word: its references and its flags.
//!
//! Everything that two threads could disagree about is decided by a single read-modify-write of this
//! word: who queues the child, who drops the value it left, and who frees it.
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
//! 5. *One who frees.* The memory is kept by the references (the upper half of the word) and by `HANDLE`.
//!    Whoever takes the last of these away frees it. Both come only from one who has one, so being the
//!    only one left ([`State::is_exclusive`]) cannot be undone by others.
//! 6. *Who keeps the group's shared part.* While the driver has the child, the group does. When the driver
//!    lets go and somebody else still knows the child, it takes a reference of the shared part for it
//!    (`OWNER`), which is given up with the child's memory.

use crate::util::sync::{AtomicU64, Ordering};

const QUEUED: u64 = 1;
const DEAD: u64 = 1 << 1;
const HANDLE: u64 = 1 << 2;
const CANCEL: u64 = 1 << 3;
const WAITED: u64 = 1 << 4;
const DOOMED: u64 = 1 << 5;
const ORPHAN: u64 = 1 << 6;
const PHASE: u64 = 7 << 7;
const OWNER: u64 = 1 << 10;
const REF: u64 = 1 << 32;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
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
pub(crate) struct Seen(u64);

impl Seen {
    #[inline]
    pub(crate) fn phase(self) -> Option<Phase> {
        if !self.ended() {
            return None;
        }
        [
            Phase::Value,
            Phase::Cancelled,
            Phase::Failed,
            Phase::Panicked,
        ]
        .into_iter()
        .find(|phase| self.0 & PHASE == *phase as u64)
    }

    /// Whether the child has ended.
    #[inline]
    pub(crate) fn ended(self) -> bool {
        self.0 & PHASE != 0
    }

    /// How the child ended, once the driver has taken note of it.
    #[inline]
    pub(crate) fn settled(self) -> Option<Phase> {
        if self.dead() { self.phase() } else { None }
    }

    /// Whether the driver has let go of the child.
    #[inline]
    pub(crate) fn dead(self) -> bool {
        self.0 & DEAD != 0
    }

    #[inline]
    pub(crate) fn queued(self) -> bool {
        self.0 & QUEUED != 0
    }

    /// Whether there is a handle.
    #[inline]
    pub(crate) fn handle(self) -> bool {
        self.0 & HANDLE != 0
    }

    /// Whether the child was cancelled through its handle.
    #[inline]
    pub(crate) fn cancel(self) -> bool {
        self.0 & CANCEL != 0
    }

    /// Whether a cancellation reaches the child itself, through its handle or (mirrored) its group.
    #[inline]
    pub(crate) fn cancelled(self) -> bool {
        self.0 & (CANCEL | DOOMED) != 0
    }

    /// Whether somebody waits for the end.
    #[inline]
    pub(crate) fn waited(self) -> bool {
        self.0 & WAITED != 0
    }

    /// Whether the group was dropped while the child still ran.
    #[inline]
    pub(crate) fn orphan(self) -> bool {
        self.0 & ORPHAN != 0
    }

    /// Whether the child keeps the shared part of its group alive.
    #[inline]
    pub(crate) fn owner(self) -> bool {
        self.0 & OWNER != 0
    }

    /// Whether nobody knows the child but the driver, which has not let go of it, and the handle.
    #[inline]
    pub(crate) fn only_driver_and_handle(self) -> bool {
        self.refs() == 1 && !self.dead() && !self.ended()
    }

    #[inline]
    fn refs(self) -> u64 {
        self.0 / REF
    }
}

/// The word.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

impl State {
    /// A new child with a handle and `refs` references, which is about to be put into a queue.
    #[inline]
    pub(crate) fn queued_with_handle(refs: u32) -> Self {
        Self(AtomicU64::new(QUEUED | HANDLE | (u64::from(refs) * REF)))
    }

    /// A new child with a handle and `refs` references, in no queue.
    #[inline]
    pub(crate) fn idle_with_handle(refs: u32) -> Self {
        Self(AtomicU64::new(HANDLE | (u64::from(refs) * REF)))
    }

    /// A body, which is about to be put into a queue, and whose references are another's affair.
    pub(crate) fn queued() -> Self {
        Self(AtomicU64::new(QUEUED | REF))
    }

    #[inline]
    pub(crate) fn look(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    #[inline]
    fn set(&self, bits: u64) -> Seen {
        Seen(self.0.fetch_or(bits, Ordering::AcqRel))
    }

    #[inline]
    fn clear(&self, bits: u64) -> Seen {
        Seen(self.0.fetch_and(!bits, Ordering::AcqRel))
    }

    /// Takes one more reference. Says whether there are absurdly many.
    #[inline]
    pub(crate) fn retain(&self) -> bool {
        Seen(self.0.fetch_add(REF, Ordering::Relaxed)).refs() > u64::from(u32::MAX / 2)
    }

    /// Gives a reference up. Says whether the caller frees the memory.
    #[inline]
    pub(crate) fn release(&self) -> bool {
        if self.is_exclusive() {
            return true;
        }
        let before = Seen(self.0.fetch_sub(REF, Ordering::AcqRel));
        before.refs() == 1 && !before.handle()
    }

    /// Whether the caller, who has a reference, is the only one who knows the child.
    #[inline]
    pub(crate) fn is_exclusive(&self) -> bool {
        let seen = self.look();
        seen.refs() == 1 && !seen.handle()
    }

    /// Whether the caller must put the child into a queue now.
    #[inline]
    pub(crate) fn queue(&self) -> bool {
        let before = self.set(QUEUED);
        !before.queued() && !before.dead()
    }

    /// The child was taken out of a queue.
    ///
    /// If the driver has let go of it, the caller has its reference now (invariant 2).
    #[inline]
    pub(crate) fn unqueue(&self) -> Seen {
        let seen = self.look();
        if seen.refs() == 1 && !seen.handle() {
            // Nobody else is there to race with (invariant 5).
            self.0.store(seen.0 & !QUEUED, Ordering::Relaxed);
            return seen;
        }
        self.clear(QUEUED)
    }

    /// The queue that the child should have gone into is closed.
    ///
    /// If the driver has let go of it, the caller has its reference now (invariant 2).
    pub(crate) fn refused(&self) -> Seen {
        self.clear(QUEUED)
    }

    /// The driver's child has ended, the slot is written, and the driver lets go, having taken a reference
    /// of the group's shared part for the child.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    #[inline]
    pub(crate) fn finish(&self, phase: Phase) -> Seen {
        self.set(phase as u64 | DEAD | OWNER)
    }

    /// A child that somebody else polls has ended; the slot is written. If the handle was gone, the caller
    /// drops the value (invariant 3).
    pub(crate) fn finish_elsewhere(&self, phase: Phase) -> Seen {
        self.set(phase as u64)
    }

    /// The driver lets go of a child that ended elsewhere.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    pub(crate) fn let_go(&self) -> Seen {
        self.set(DEAD | OWNER)
    }

    /// The driver goes away while somebody else still polls the child.
    ///
    /// If it was in a queue, its reference belongs to the queue now (invariant 2).
    pub(crate) fn abandon(&self) -> Seen {
        self.set(DEAD | OWNER | DOOMED | ORPHAN)
    }

    /// Cancels the child alone.
    pub(crate) fn cancel(&self) -> Seen {
        self.set(CANCEL)
    }

    /// Mirrors whether a cancellation of the group reaches a child that somebody else polls.
    pub(crate) fn set_doomed(&self, doomed: bool) -> Seen {
        if doomed {
            self.set(DOOMED)
        } else {
            self.clear(DOOMED)
        }
    }

    /// Somebody waits for the end; look again after this.
    pub(crate) fn set_waited(&self) -> Seen {
        self.set(WAITED)
    }

    /// The handle goes, the child being as `seen`: running, and with the driver as the only other one who
    /// knows it, which does not run meanwhile.
    #[inline]
    pub(crate) fn drop_handle_unraced(&self, seen: Seen) {
        self.0.store(seen.0 & !HANDLE, Ordering::Release);
    }

    /// The handle goes. If the child has ended with a value, that is dropped first by `drop_value`
    /// (invariant 3). Says whether the caller frees the memory (invariant 5).
    #[inline]
    pub(crate) fn drop_handle(&self, drop_value: impl FnOnce()) -> bool {
        let mut seen = self.look();
        while seen.phase() != Some(Phase::Value) {
            // Only as long as there is no value: once the handle is gone, so may be the child.
            let without = seen.0 & !HANDLE;
            match self
                .0
                .compare_exchange_weak(seen.0, without, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return seen.refs() == 0,
                Err(now) => seen = Seen(now),
            }
        }
        drop_value();
        self.clear(HANDLE).refs() == 0
    }
}
