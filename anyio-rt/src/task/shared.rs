//! What the driver of a group, its handles and all wakers share: queues and lists of members.
//!
//! It knows nothing of the types of the children and holds nothing of the user's, so that stray wakers may
//! keep it alive as long as they like.
//!
//! # Two sides
//!
//! While the driver is polled, its thread is the *owner* ([`Shared::claim`]). The owner works on
//! [`Local`]: plain cells, no atomics. Everybody else goes through [`Shared::remote`], a lock-free stack,
//! and wakes the driver. A wake or a spawn decides by comparing the owner with its own thread: if they are
//! equal, the driver is below it on the same stack.
//!
//! # Invariants
//!
//! 1. `owner` is set only for the time of a poll of the driver, to the thread that polls it. So at most
//!    one thread finds itself the owner, and one poll's accesses to `local` happen before the next one's
//!    because polls of one future do. Outside a poll only whoever has the driver exclusively (its `Drop`)
//!    touches `local`.
//! 2. A member is in exactly one of the lists `members`, `holding`, `judging` from when the driver first
//!    sees it until it ends; `live` counts them.
//! 3. A child is in at most one of `ready`, `yielded` and `remote` ([`State`](super::state::State),
//!    invariant 1), and alive while it is there: by the driver's reference, which passes to the queue if
//!    the child ends in it (invariant 2 there). The body lives as long as this.

#![allow(unsafe_code)] // intrusive lists of members that invariant 3 keeps alive

use std::cell::Cell;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::header::{Header, Link, Step, VTable};
use super::ready::{Linked, Pushed, Stack};
use super::state::{Phase, Seen, State};
use crate::scope::node::{Kind, Node};
use crate::util::name::TaskName;
use crate::util::thread_id;

/// The shared part of a group.
pub(crate) struct Shared {
    node: Arc<Node>,
    remote: Stack<Header>,
    owner: AtomicUsize,
    /// The task that the group is in; 0 before the first poll, and where it is nobody's.
    host: AtomicU64,
    /// How many children there are that have not ended. Written by the owner only.
    live: AtomicUsize,
    local: Local,
    body: Header,
    name: Option<TaskName>,
    location: &'static Location<'static>,
}

// SAFETY: all of it is `Send` and `Sync` but `local` and the member links of `body`; those are touched
// only as invariant 1 says.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// The owner's side.
#[derive(Default)]
pub(super) struct Local {
    /// Members to poll in this poll of the driver.
    pub(super) ready: Queue,
    /// Members that woke themselves while they were polled: for the next poll of the driver.
    pub(super) yielded: Queue,
    /// Who is being polled.
    pub(super) polling: Cell<Option<NonNull<Header>>>,
    /// Children that a cancellation has not been tried on since they were last polled.
    pub(super) members: List,
    /// Children that must be polled on although the group is cancelled.
    pub(super) holding: List,
    /// Children that a cancellation is being tried on.
    pub(super) judging: List,
    /// How many of them are parallel.
    pub(super) parallel: Cell<usize>,
}

/// The body is polled by the driver, which knows its type; nothing goes through its vtable.
static BODY: VTable = VTable {
    poll: |_, _| Step::Pending,
    drop_future: |_| None,
    drop_value: |_| (),
    free: |_| (),
    slot: 0,
    body: true,
    parallel: false,
    type_name: || "the body of a task group",
};

impl Shared {
    pub(crate) fn new(
        name: Option<TaskName>,
        shield: bool,
        location: &'static Location<'static>,
    ) -> Arc<Self> {
        let shared = Arc::new(Self {
            node: Node::new(Kind::Group, shield),
            remote: Stack::new(),
            owner: AtomicUsize::new(0),
            host: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            local: Local::default(),
            body: Header::new(State::queued(), &BODY, location),
            name,
            location,
        });
        shared.body.set_shared(Arc::as_ptr(&shared));
        shared
    }

    #[inline]
    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    #[inline]
    pub(crate) fn body(&self) -> &Header {
        &self.body
    }

    pub(crate) fn name(&self) -> Option<&TaskName> {
        self.name.as_ref()
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    pub(crate) fn host(&self) -> u64 {
        self.host.load(Ordering::Relaxed)
    }

    pub(super) fn set_host(&self, id: u64) {
        self.host.store(id, Ordering::Relaxed);
    }

    /// How many children there are that have not ended, as the owner last knew.
    #[inline]
    pub(super) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// The owner's side. Callers are the owner, or have the driver exclusively.
    #[inline]
    pub(super) fn local(&self) -> &Local {
        &self.local
    }

    /// Whether the caller runs inside a poll of the driver.
    #[inline]
    pub(super) fn is_owner(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == thread_id::current()
    }

    /// Makes this thread the owner for a poll of the driver.
    #[inline]
    pub(super) fn claim(&self) -> Claim<'_> {
        self.owner.store(thread_id::current(), Ordering::Relaxed);
        Claim(self)
    }

    /// Has `header` polled soon. Any thread may call this, at any time.
    ///
    /// # Safety
    ///
    /// `header` is alive.
    pub(super) unsafe fn wake(header: NonNull<Header>) {
        // SAFETY: alive by the caller's promise.
        let member = unsafe { header.as_ref() };
        if !member.state.queue() {
            return;
        }
        let shared = member.shared();
        if shared.is_owner() {
            let local = &shared.local;
            let itself = local.polling.get() == Some(header);
            if itself { &local.yielded } else { &local.ready }.push(header);
            return;
        }
        // SAFETY: in no queue (`queue` said so); the driver's reference keeps it alive, or is the stack's
        // if the driver lets go meanwhile (invariant 3).
        let pushed = unsafe { shared.push_remote(header) };
        if pushed == (Pushed::Refused { release: true }) && !member.is_body() {
            // SAFETY: the driver left its reference to whoever takes the child out of the queue.
            unsafe { Header::release(header) };
        }
    }

    /// # Safety
    ///
    /// As for [`Stack::push`].
    unsafe fn push_remote(&self, header: NonNull<Header>) -> Pushed {
        // SAFETY: the caller's promise.
        let pushed = unsafe { self.remote.push(header) };
        if pushed == Pushed::First {
            self.node.wake();
        }
        pushed
    }

    /// Takes a new child in, whose state says that it is queued. Any thread may call this.
    ///
    /// A group that is over refuses: the future is dropped and the handle says that it was cancelled.
    ///
    /// # Safety
    ///
    /// `child` was just made for this group, and its driver's reference is passed in.
    #[inline]
    pub(super) unsafe fn insert(&self, child: NonNull<Header>) {
        if self.is_owner() {
            self.adopt(child);
            self.local.ready.push(child);
            return;
        }
        // SAFETY: new, so in no queue; the reference passed in keeps it alive.
        if let Pushed::Refused { .. } = unsafe { self.push_remote(child) } {
            // SAFETY: new, so its future is in the slot unless it ended elsewhere; nobody else has it.
            unsafe { Self::discard(child) };
        }
    }

    /// Takes a child that is polled elsewhere in, from the owner's thread or not.
    ///
    /// # Safety
    ///
    /// As for [`insert`](Self::insert).
    pub(super) unsafe fn insert_parallel(&self, child: NonNull<Header>) {
        if self.is_owner() {
            self.adopt(child);
        } else {
            // SAFETY: alive by the reference passed in.
            let queued = unsafe { child.as_ref() }.state.queue();
            debug_assert!(queued, "a new child is in no queue");
            // SAFETY: the caller's promise.
            unsafe { self.insert(child) };
        }
    }

    /// Gets rid of a child that was never let in.
    ///
    /// # Safety
    ///
    /// The caller owns the driver's reference, and the child was in no list.
    pub(super) unsafe fn discard(child: NonNull<Header>) {
        // SAFETY: alive by that reference.
        let header = unsafe { child.as_ref() };
        if header.vtable().parallel {
            header.keep_shared();
            let seen = header.state.abandon();
            header.alert();
            if !seen.queued() {
                // SAFETY: the reference is ours.
                unsafe { Header::release(child) };
            }
            return;
        }
        if header.state.look().ended() {
            // It ended in `start`. What it left is the handle's, except for an error, which is leaked: its
            // type is not known here, and a `start` that is polled after its group's end does not exist.
            header.keep_shared();
            let seen = header.state.let_go();
            // SAFETY: the reference is ours.
            unsafe { Self::leave(child, seen) };
            return;
        }
        // SAFETY: the future is in the slot, since the child has not ended and was never polled here.
        let _panicked = unsafe { (header.vtable().drop_future)(child) };
        // SAFETY: the reference is ours.
        unsafe { Self::let_go(child, Phase::Cancelled) };
    }

    /// Ends a child: its slot is written, and the driver gives its reference up.
    ///
    /// # Safety
    ///
    /// The caller owns the driver's reference; the slot is as `phase` says.
    #[inline]
    pub(super) unsafe fn let_go(child: NonNull<Header>, phase: Phase) {
        // SAFETY: alive by that reference.
        let header = unsafe { child.as_ref() };
        if header.state.is_exclusive() && !header.state.look().queued() {
            if phase == Phase::Value {
                // SAFETY: the value is in the slot, and there is nobody else to have it.
                unsafe { (header.vtable().drop_value)(child) };
            }
            // SAFETY: only we know the child.
            unsafe { Header::free(child) };
            return;
        }
        header.keep_shared();
        let seen = header.state.finish(phase);
        if phase == Phase::Value && !seen.handle() {
            // SAFETY: the value is in the slot, and with the handle gone it is ours.
            unsafe { (header.vtable().drop_value)(child) };
        }
        // SAFETY: as the caller promised; `finish` was the last word on it.
        unsafe { Self::leave(child, seen) };
    }

    /// What follows once the state of an ended child is final.
    ///
    /// # Safety
    ///
    /// The caller owns the driver's reference, and `seen` is from the change that made the child dead.
    pub(super) unsafe fn leave(child: NonNull<Header>, seen: Seen) {
        // SAFETY: alive by the caller's reference.
        let header = unsafe { child.as_ref() };
        if seen.waited()
            && let Some(extra) = header.extra()
        {
            extra.wake_waiters();
        }
        if !seen.queued() {
            // SAFETY: in no queue, so the reference is still ours.
            unsafe { Header::release(child) };
        }
    }

    /// Lists a child that the driver sees for the first time.
    #[inline]
    pub(super) fn adopt(&self, child: NonNull<Header>) {
        let local = &self.local;
        local.members.push(child);
        self.live.store(self.live() + 1, Ordering::Relaxed);
        // SAFETY: just handed to us with a reference.
        if unsafe { child.as_ref() }.vtable().parallel {
            local.parallel.set(local.parallel.get() + 1);
        }
    }

    /// Takes a child that ends out of its list.
    #[inline]
    pub(super) fn forget(&self, child: NonNull<Header>) {
        let local = &self.local;
        // SAFETY: in a list, hence alive.
        unsafe { List::unlink(child) };
        self.live.store(self.live() - 1, Ordering::Relaxed);
        // SAFETY: as above.
        if unsafe { child.as_ref() }.vtable().parallel {
            local.parallel.set(local.parallel.get() - 1);
        }
    }

    /// Whether other threads have queued something since the last [`drain`](Self::drain).
    #[inline]
    pub(super) fn has_remote(&self) -> bool {
        !self.remote.is_empty()
    }

    /// Moves what other threads have queued to the owner's side.
    pub(super) fn drain(&self) {
        for member in self.remote.take() {
            self.receive(member);
        }
    }

    fn receive(&self, member: NonNull<Header>) {
        // SAFETY: in the stack, hence alive (invariant 3).
        let header = unsafe { member.as_ref() };
        if !header.is_body() && header.back.get().is_none() && !header.state.look().dead() {
            self.adopt(member);
        }
        self.local.ready.push(member);
    }

    /// Refuses all members from now on; what was on its way is in `ready` after this.
    pub(super) fn close(&self) {
        for member in self.remote.close() {
            self.receive(member);
        }
    }

    /// Empties the queues of a closed group whose members have all ended.
    pub(super) fn sweep(&self) {
        for queue in [&self.local.ready, &self.local.yielded] {
            while let Some(member) = queue.pop() {
                // SAFETY: in a queue, hence alive.
                let header = unsafe { member.as_ref() };
                if header.state.unqueue().dead() && !header.is_body() {
                    // SAFETY: the driver left its reference to the queue, which we took the child out of.
                    unsafe { Header::release(member) };
                }
            }
        }
    }
}

/// Being the owner; ends with the poll, also if that unwinds.
pub(super) struct Claim<'a>(&'a Shared);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.owner.store(0, Ordering::Relaxed);
    }
}

/// A first-in first-out queue of members, linked through `next_ready`.
#[derive(Default)]
pub(super) struct Queue {
    first: Cell<Option<NonNull<Header>>>,
    last: Cell<Option<NonNull<Header>>>,
}

impl Queue {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    /// Puts `member`, which is in no queue, at the end.
    #[inline]
    pub(super) fn push(&self, member: NonNull<Header>) {
        // SAFETY: members on their way into a queue, and in one, are alive (invariant 3).
        unsafe {
            member
                .as_ref()
                .next()
                .store(ptr::null_mut(), Ordering::Relaxed);
            match self.last.replace(Some(member)) {
                Some(last) => last
                    .as_ref()
                    .next()
                    .store(member.as_ptr(), Ordering::Relaxed),
                None => self.first.set(Some(member)),
            }
        }
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<NonNull<Header>> {
        let member = self.first.get()?;
        // SAFETY: as above.
        let next = NonNull::new(unsafe { member.as_ref() }.next().load(Ordering::Relaxed));
        self.first.set(next);
        if next.is_none() {
            self.last.set(None);
        }
        Some(member)
    }

    /// Appends all of `other`.
    pub(super) fn append(&self, other: &Self) {
        while let Some(member) = other.pop() {
            self.push(member);
        }
    }
}

/// A list of members, linked through `next` and `back`, that a member leaves without knowing which it is.
#[derive(Default)]
pub(super) struct List {
    first: Link,
}

impl List {
    #[inline]
    pub(super) fn first(&self) -> Option<NonNull<Header>> {
        self.first.get()
    }

    /// Puts `member`, which is in no list, in front.
    #[inline]
    pub(super) fn push(&self, member: NonNull<Header>) {
        // SAFETY: members are alive (invariants 2 and 3), and so is the list, in the shared part.
        unsafe {
            let header = member.as_ref();
            let next = self.first.replace(Some(member));
            header.next.set(next);
            header.back.set(Some(NonNull::from(&self.first)));
            if let Some(next) = next {
                next.as_ref().back.set(Some(NonNull::from(&header.next)));
            }
        }
    }

    /// Takes `member` out of the list it is in.
    ///
    /// # Safety
    ///
    /// It is in one.
    #[inline]
    pub(super) unsafe fn unlink(member: NonNull<Header>) {
        // SAFETY: the neighbours are alive: members of the same list, or the list's head.
        unsafe {
            let header = member.as_ref();
            let next = header.next.take();
            let back = header.back.take().expect("in a list");
            back.as_ref().set(next);
            if let Some(next) = next {
                next.as_ref().back.set(Some(back));
            }
        }
    }

    /// Moves `member` from the list it is in to this one.
    ///
    /// # Safety
    ///
    /// It is in one.
    pub(super) unsafe fn take(&self, member: NonNull<Header>) {
        // SAFETY: the caller's promise.
        unsafe { Self::unlink(member) };
        self.push(member);
    }

    /// Moves everything in `other`, in order, to the front of this list, which is empty.
    pub(super) fn take_all(&self, other: &Self) {
        debug_assert!(self.first.get().is_none(), "moved into an empty list");
        let first = other.first.take();
        self.first.set(first);
        if let Some(first) = first {
            // SAFETY: a member of the list, hence alive.
            unsafe { first.as_ref() }
                .back
                .set(Some(NonNull::from(&self.first)));
        }
    }
}
