//! The part of a child that does not depend on its type: what wakers, lists and the driver see.
//!
//! A child is one allocation, `Child<F, V, E>` (see `child.rs`): this header, then a slot that holds the
//! future and later its value or error. The header is reference-counted by hand: one reference for the
//! driver, one for the handle, one for each waker that was cloned, one for the task that polls a parallel
//! child. The last one frees the *memory*; it never drops what is in the slot, since a waker may be the
//! last and outlive `'scope`.

#![allow(unsafe_code)] // reference counting by hand, and raw wakers

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

use slab::Slab;

use super::ready::Linked;
use super::shared::Shared;
use super::state::State;
use crate::scope::Reason;
use crate::scope::frame::{Region, RegionState, TaskRegion};
use crate::scope::node::{Kind, Node};
use crate::util::catch::Payload;
use crate::util::name::TaskName;
use crate::util::sync::lock;

/// What a poll of a child came to.
pub(crate) enum Step {
    Pending,
    /// The value is in the slot.
    Value,
    /// The error is in the slot.
    Failed,
    /// The slot is empty.
    Panicked(Payload),
}

/// What depends on the type of the child.
#[derive(Debug)]
pub(crate) struct VTable {
    /// Polls the future in the slot.
    ///
    /// # Safety
    ///
    /// The slot holds the future, and nobody else touches the slot meanwhile.
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Step,
    /// Drops the future in the slot, leaving the slot empty; gives the payload if that panicked.
    ///
    /// # Safety
    ///
    /// As for `poll`.
    pub(crate) drop_future: unsafe fn(NonNull<Header>) -> Option<Payload>,
    /// Drops the value in the slot, leaving the slot empty.
    ///
    /// # Safety
    ///
    /// The slot holds the value, and nobody else touches the slot meanwhile.
    pub(crate) drop_value: unsafe fn(NonNull<Header>),
    /// Frees the memory and what the header owns, but nothing in the slot.
    ///
    /// # Safety
    ///
    /// There are no references left.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// Where the slot is, in bytes from the header.
    pub(crate) slot: usize,
    /// Whether a task of the backend polls it, rather than the driver.
    pub(crate) parallel: bool,
    /// The name of the type of the future.
    pub(crate) type_name: fn() -> &'static str,
}

/// The head of every child, and of the body of a group.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    refs: AtomicU32,
    vtable: &'static VTable,
    /// The group's shared part. A child owns a reference of it; the body is inside it and does not.
    shared: AtomicPtr<Shared>,
    /// The link in the ready queues; belongs to whoever the queue protocol says ([`State`]).
    next_ready: AtomicPtr<Self>,
    /// The links in the list of members. Only the thread that has the driver touches them.
    pub(super) next: Cell<Option<NonNull<Self>>>,
    pub(super) back: Cell<Option<NonNull<Cell<Option<NonNull<Self>>>>>>,
    /// What few children need, made on demand.
    extra: AtomicPtr<Extra>,
    id: u64,
    location: &'static Location<'static>,
}

/// What few children need.
#[derive(Default)]
pub(crate) struct Extra {
    node: OnceLock<Arc<Node>>,
    name: OnceLock<TaskName>,
    /// Why the child was cancelled through its handle.
    reason: OnceLock<Reason>,
    /// Whoever waits for the end.
    pub(super) waiters: Mutex<Slab<Waker>>,
    /// The task that polls a parallel child.
    pub(super) task: Mutex<Option<Waker>>,
    /// The panic of a child that somebody else polled.
    pub(super) payload: Mutex<Option<Payload>>,
    /// The task that waits in `start`, until it has the child's report; 0 if none.
    pub(super) starter: AtomicU64,
}

impl Header {
    pub(crate) fn new(
        state: State,
        refs: u32,
        vtable: &'static VTable,
        id: u64,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            state,
            refs: AtomicU32::new(refs),
            vtable,
            shared: AtomicPtr::new(ptr::null_mut()),
            next_ready: AtomicPtr::new(ptr::null_mut()),
            next: Cell::new(None),
            back: Cell::new(None),
            extra: AtomicPtr::new(ptr::null_mut()),
            id,
            location,
        }
    }

    pub(crate) fn vtable(&self) -> &'static VTable {
        self.vtable
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Sets the group, once, before the header is seen by others.
    pub(super) fn set_shared(&self, shared: *const Shared) {
        self.shared.store(shared.cast_mut(), Ordering::Relaxed);
    }

    /// The group's shared part.
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: set when the header was made, to what this header owns a reference of, or lies in.
        unsafe { &*self.shared.load(Ordering::Relaxed) }
    }

    /// The group's shared part, for `free` to give up.
    pub(super) fn shared_ptr(&self) -> *const Shared {
        self.shared.load(Ordering::Relaxed)
    }

    /// What few children need, if it has been made.
    pub(crate) fn extra(&self) -> Option<&Extra> {
        // SAFETY: null or from `Box::into_raw` in `make_extra`; never changed again, freed with the header.
        unsafe { self.extra.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn make_extra(&self) -> &Extra {
        if let Some(extra) = self.extra() {
            return extra;
        }
        let made = Box::into_raw(Box::<Extra>::default());
        match self.extra.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: `made` is now the header's, see `extra`.
            Ok(_) => unsafe { &*made },
            Err(theirs) => {
                // SAFETY: nobody else has seen `made`; `theirs` is as in `extra`.
                unsafe {
                    drop(Box::from_raw(made));
                    &*theirs
                }
            }
        }
    }

    pub(crate) fn set_name(&self, name: &str) {
        // The first name stays; only whoever makes the child names it.
        let _ = self.make_extra().name.set(TaskName::Given(name.into()));
    }

    pub(crate) fn task_name(&self) -> TaskName {
        match self.extra().and_then(|extra| extra.name.get()) {
            Some(name) => name.clone(),
            None => TaskName::Type((self.vtable.type_name)()),
        }
    }

    pub(crate) fn set_reason(&self, reason: Reason) {
        // The first reason stays.
        let _ = self.make_extra().reason.set(reason);
    }

    /// The node of the child, if something inside it needed one.
    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        self.extra()?.node.get()
    }

    /// Whether something inside must be polled on before the child may be dropped.
    pub(crate) fn held(&self) -> bool {
        self.node().is_some_and(|node| node.held())
    }

    /// Whether what is inside only waits to be dropped.
    pub(crate) fn unwound(&self) -> bool {
        self.node().is_some_and(|node| node.unwound())
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        let extra = *self.extra.get_mut();
        if !extra.is_null() {
            // SAFETY: from `Box::into_raw` in `make_extra`, and nobody can reach it any more.
            drop(unsafe { Box::from_raw(extra) });
        }
    }
}

impl Linked for Header {
    fn next(&self) -> &AtomicPtr<Self> {
        &self.next_ready
    }
}

/// A member is a region of its own: it is cancelled through its handle, and judged by itself.
impl Region for Header {
    fn state(&self) -> RegionState {
        RegionState { cancelled: self.state.look().cancelled(), shielded: false }
    }

    fn reason(&self) -> Option<Reason> {
        let own = self.extra().and_then(|extra| extra.reason.get().cloned());
        own.or_else(|| self.shared().node().reason())
    }

    fn node(&self) -> Option<&Arc<Node>> {
        Self::node(self)
    }

    fn make_node(&self) -> &Arc<Node> {
        self.make_extra().node.get_or_init(|| Node::new(Kind::Passing, false))
    }

    fn task(&self) -> Option<&dyn TaskRegion> {
        // The body of a group belongs to the task that the group is in.
        if self.is_body() { None } else { Some(self) }
    }
}

impl TaskRegion for Header {
    fn id(&self) -> u64 {
        self.id
    }

    fn parent_id(&self) -> Option<u64> {
        let starter = self.extra().map_or(0, |extra| extra.starter.load(Ordering::Relaxed));
        match if starter == 0 { self.shared().host() } else { starter } {
            0 => None,
            id => Some(id),
        }
    }

    fn name(&self) -> TaskName {
        self.task_name()
    }
}

impl Header {
    /// Whether this is the body of a group rather than a child.
    pub(crate) fn is_body(&self) -> bool {
        self.id == 0
    }

    /// Takes one more reference.
    fn retain(&self) {
        // As in `std::sync::Arc`: an overflow needs so many leaked wakers that aborting is the answer.
        if self.refs.fetch_add(1, Ordering::Relaxed) > u32::MAX / 2 {
            std::process::abort();
        }
    }

    /// Gives one reference up; the last one frees the memory.
    ///
    /// # Safety
    ///
    /// `this` is a child (not a body), the caller owns a reference of it, and does not use it any more.
    pub(crate) unsafe fn release(this: NonNull<Self>) {
        // SAFETY: alive, since the caller owns a reference.
        let header = unsafe { this.as_ref() };
        // Being the only one left cannot be undone: others are made from existing ones only.
        if header.refs.load(Ordering::Acquire) == 1 || header.refs.fetch_sub(1, Ordering::AcqRel) == 1 {
            let free = header.vtable.free;
            // SAFETY: that was the last reference.
            unsafe { free(this) };
        }
    }

    /// A waker for the poll of this member, which borrows the poller's reference.
    ///
    /// # Safety
    ///
    /// `this` stays alive as long as the waker is used. Clones of the waker take references of their own.
    pub(crate) unsafe fn borrowed_waker(this: NonNull<Self>) -> ManuallyDrop<Waker> {
        // SAFETY: alive by the caller's promise.
        let vtable = if unsafe { this.as_ref() }.is_body() { &BODY_WAKER } else { &CHILD_WAKER };
        // SAFETY: the functions of the two tables keep the contract of `RawWaker`: see each.
        ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(this.as_ptr().cast(), vtable)) })
    }
}

/// For children: each waker owns a reference of the header.
static CHILD_WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: `data` is the header that this waker keeps alive.
        unsafe { &*data.cast::<Header>() }.retain();
        RawWaker::new(data, &CHILD_WAKER)
    },
    |data| {
        // SAFETY: as above; the waker is used up, so its reference is ours to give up.
        unsafe {
            let header = NonNull::new_unchecked(data.cast_mut().cast::<Header>());
            Shared::wake(header);
            Header::release(header);
        }
    },
    |data| {
        // SAFETY: as above.
        unsafe { Shared::wake(NonNull::new_unchecked(data.cast_mut().cast::<Header>())) }
    },
    |data| {
        // SAFETY: as for waking by value.
        unsafe { Header::release(NonNull::new_unchecked(data.cast_mut().cast::<Header>())) }
    },
);

/// For bodies, which lie in the shared part: each waker owns a reference of that.
static BODY_WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: `data` is the body of a shared part that this waker keeps alive, and which was made by
        // `Arc`.
        unsafe { Arc::increment_strong_count((*data.cast::<Header>()).shared_ptr()) };
        RawWaker::new(data, &BODY_WAKER)
    },
    |data| {
        // SAFETY: as above; the waker is used up, so its reference is ours to give up.
        unsafe {
            let header = NonNull::new_unchecked(data.cast_mut().cast::<Header>());
            let shared = header.as_ref().shared_ptr();
            Shared::wake(header);
            Arc::decrement_strong_count(shared);
        }
    },
    |data| {
        // SAFETY: as above.
        unsafe { Shared::wake(NonNull::new_unchecked(data.cast_mut().cast::<Header>())) }
    },
    |data| {
        // SAFETY: as for waking by value.
        unsafe { Arc::decrement_strong_count((*data.cast::<Header>()).shared_ptr()) }
    },
);

impl Extra {
    /// Wakes whoever waits for the end.
    pub(crate) fn wake_waiters(&self) {
        let wakers: Vec<Waker> = lock(&self.waiters).drain().collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}
