//! The part of a child that does not depend on its type: what wakers, lists and the driver see.
//!
//! A child is one allocation, `Child<F, V, E>` (see `child.rs`): this header, then a slot that holds the
//! future and later its value or error. The header is reference-counted by hand ([`State`]): one reference
//! for the driver, one for each waker that was cloned, one for the task that polls a parallel child, and the
//! handle. The last one frees the *memory*; it never drops what is in the slot, since a waker may be the
//! last and outlive `'scope`.

#![allow(unsafe_code)] // reference counting by hand, and raw wakers

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
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
use crate::util::ids;
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
    /// Frees the memory and what the header has, but nothing in the slot.
    ///
    /// # Safety
    ///
    /// There are no references left.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// Where the slot is, in bytes from the header.
    pub(crate) slot: usize,
    /// Whether it is the body of a group rather than a child.
    pub(crate) body: bool,
    /// Whether a task of the backend polls it, rather than the driver.
    pub(crate) parallel: bool,
    /// The name of the type of the future.
    pub(crate) type_name: fn() -> &'static str,
}

/// The head of every child, and of the body of a group.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    vtable: &'static VTable,
    /// The group's shared part: alive as long as the driver has the child, or kept alive by the child
    /// after that (`State`, invariant 6). The body lies inside it.
    shared: AtomicPtr<Shared>,
    /// The link in the ready queues; belongs to whoever the queue protocol says ([`State`]).
    next_ready: AtomicPtr<Self>,
    /// The links in the list of members. Only the thread that has the driver touches them.
    pub(super) next: Link,
    /// The link that leads here.
    pub(super) back: Cell<Option<NonNull<Link>>>,
    /// What few children need, made on demand.
    extra: AtomicPtr<Extra>,
    /// 0 until somebody asks.
    id: AtomicU64,
    location: &'static Location<'static>,
}

/// The way to the next member of a list.
pub(super) type Link = Cell<Option<NonNull<Header>>>;

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
    #[inline]
    pub(crate) fn new(
        state: State,
        vtable: &'static VTable,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            state,
            vtable,
            shared: AtomicPtr::new(ptr::null_mut()),
            next_ready: AtomicPtr::new(ptr::null_mut()),
            next: Cell::new(None),
            back: Cell::new(None),
            extra: AtomicPtr::new(ptr::null_mut()),
            id: AtomicU64::new(0),
            location,
        }
    }

    #[inline]
    pub(crate) fn vtable(&self) -> &'static VTable {
        self.vtable
    }

    #[inline]
    pub(crate) fn id(&self) -> u64 {
        let id = self.id.load(Ordering::Relaxed);
        if id != 0 {
            return id;
        }
        let new = ids::next();
        match self
            .id
            .compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => new,
            Err(theirs) => theirs,
        }
    }

    #[inline]
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Sets the group, once, before the header is seen by others.
    #[inline]
    pub(super) fn set_shared(&self, shared: *const Shared) {
        self.shared.store(shared.cast_mut(), Ordering::Relaxed);
    }

    /// The group's shared part.
    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: set when the header was made; see the field.
        unsafe { &*self.shared.load(Ordering::Relaxed) }
    }

    /// Takes a reference of the shared part for the child; the next change of its state says so.
    pub(super) fn keep_shared(&self) {
        // SAFETY: made by `Arc`, and alive while the driver has the child.
        unsafe { Arc::increment_strong_count(self.shared_ptr()) };
    }

    /// The group's shared part, as a pointer.
    #[inline]
    pub(super) fn shared_ptr(&self) -> *const Shared {
        self.shared.load(Ordering::Relaxed)
    }

    /// What few children need, if it has been made.
    #[inline]
    pub(crate) fn extra(&self) -> Option<&Extra> {
        // SAFETY: null or from `Box::into_raw` in `make_extra`; never changed again, freed with the header.
        unsafe { self.extra.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn make_extra(&self) -> &Extra {
        if let Some(extra) = self.extra() {
            return extra;
        }
        let made = Box::into_raw(Box::<Extra>::default());
        match self.extra.compare_exchange(
            ptr::null_mut(),
            made,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
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
    #[inline]
    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        self.extra()?.node.get()
    }

    /// Wakes what holds inside, and the task that polls a parallel child: the child has been cancelled, or no
    /// longer is, without a node knowing of it.
    pub(crate) fn alert(&self) {
        if let Some(node) = self.node() {
            node.alert();
        }
        if let Some(task) = self.extra().and_then(|extra| lock(&extra.task).take()) {
            task.wake();
        }
    }

    /// Whether something inside must be polled on before the child may be dropped.
    #[inline]
    pub(crate) fn held(&self) -> bool {
        self.node().is_some_and(|node| node.held())
    }

    /// Whether what is inside only waits to be dropped.
    #[inline]
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

    fn state(&self) -> &State {
        &self.state
    }
}

/// A member is a region of its own: it is cancelled through its handle, and judged by itself.
impl Region for Header {
    fn state(&self) -> RegionState {
        RegionState {
            cancelled: self.state.look().cancelled(),
            shielded: false,
        }
    }

    fn reason(&self) -> Option<Reason> {
        let own = self.extra().and_then(|extra| extra.reason.get().cloned());
        own.or_else(|| self.shared().node().reason())
    }

    #[inline]
    fn node(&self) -> Option<&Arc<Node>> {
        Self::node(self)
    }

    fn make_node(&self) -> &Arc<Node> {
        self.make_extra()
            .node
            .get_or_init(|| Node::new(Kind::Passing, false))
    }

    fn task(&self) -> Option<&dyn TaskRegion> {
        // The body of a group belongs to the task that the group is in.
        if self.is_body() { None } else { Some(self) }
    }
}

impl TaskRegion for Header {
    #[inline]
    fn id(&self) -> u64 {
        Self::id(self)
    }

    fn parent_id(&self) -> Option<u64> {
        let starter = self
            .extra()
            .map_or(0, |extra| extra.starter.load(Ordering::Relaxed));
        match if starter == 0 {
            self.shared().host()
        } else {
            starter
        } {
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
    #[inline]
    pub(crate) fn is_body(&self) -> bool {
        self.vtable.body
    }

    /// Drops the handle of a child that only the caller's thread can know: the driver is below us on this
    /// stack, and there is nobody else. Says whether that was so.
    #[inline]
    pub(super) fn drop_handle_inside(&self) -> bool {
        let seen = self.state.look();
        // The driver still has the child, so the group's shared part is alive.
        let inside = seen.only_driver_and_handle() && self.shared().is_owner();
        if inside {
            self.state.drop_handle_unraced(seen);
        }
        inside
    }

    /// Takes one more reference.
    fn retain(&self) {
        // As in `std::sync::Arc`: an overflow needs so many leaked wakers that aborting is the answer.
        if self.state.retain() {
            std::process::abort();
        }
    }

    /// Gives one reference up; the last one frees the memory.
    ///
    /// # Safety
    ///
    /// `this` is a child (not a body), the caller owns a reference of it, and does not use it any more.
    #[inline]
    pub(crate) unsafe fn release(this: NonNull<Self>) {
        // SAFETY: alive, since the caller owns a reference; not used after it is given up.
        unsafe {
            if this.as_ref().state.release() {
                Self::free(this);
            }
        }
    }

    /// Frees the memory.
    ///
    /// # Safety
    ///
    /// The state has said that this is up to the caller.
    #[inline]
    pub(super) unsafe fn free(this: NonNull<Self>) {
        // SAFETY: nobody else knows the child any more. The reference of the shared part is the child's if
        // the state says so (state.rs, invariant 6).
        unsafe {
            let header = this.as_ref();
            let (free, shared) = (header.vtable.free, header.shared_ptr());
            let owner = header.state.look().owner();
            free(this);
            if owner {
                Arc::decrement_strong_count(shared);
            }
        }
    }

    /// A waker for the poll of this member, which borrows the poller's reference.
    ///
    /// # Safety
    ///
    /// `this` stays alive as long as the waker is used. Clones of the waker take references of their own.
    #[inline]
    pub(crate) unsafe fn borrowed_waker(this: NonNull<Self>) -> ManuallyDrop<Waker> {
        // SAFETY: alive by the caller's promise.
        let vtable = if unsafe { this.as_ref() }.is_body() {
            &BODY_WAKER
        } else {
            &CHILD_WAKER
        };
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
