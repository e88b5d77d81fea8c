//! The future of a task group: what `task_group!` awaits.
//!
//! # Why children may borrow
//!
//! `task_group!` expands, in line in the surrounding function, to three things that the user cannot name,
//! move or forget:
//!
//! 1. a [`Group`] in a local variable, which nothing of the children's is stored in;
//! 2. `tg`, a [`TaskGroup`](super::TaskGroup): `Copy`, and bound to that variable by a borrow of the
//!    lifetime `'scope`, in which it is invariant;
//! 3. this future, [`Drive`], which carries `'scope` too and has a `Drop` impl; it is awaited on the spot.
//!
//! A child is any future that outlives `'scope`. Since `Drive` is used (dropped) last, the borrow checker
//! keeps `'scope` alive up to that point, and so everything the children borrow. `Drive` in turn drops all
//! that the children have before it is gone:
//!
//! * It ends only when each child has ended; a child's future is dropped when it ends, its error is taken
//!   into the group, its panic too, and its value goes to the handle or is dropped.
//! * Dropped before that (from outside, or by a cancelled scope), it first drops every future that is left
//!   (`Drop` below), and panics in the way do not stop it.
//! * A handle is a `TaskHandle<'scope, V>`: with it a value cannot outlive `'scope` either. One that is
//!   leaked leaks the value.
//! * Wakers may live longer. They keep the memory of a child and the shared part, but the last one frees
//!   only memory (`free` in `child.rs` drops nothing of the user's).
//! * If the whole future is leaked while pending, then the children are never polled or dropped again;
//!   their memory is not reused, since nobody frees it. What they borrow may end, and nobody looks.
//!
//! Children are polled by the task that polls the group, one at a time, so nothing here makes borrowed data
//! cross threads by itself; the bounds on `spawn` (`Send`, for groups that may move between threads as a
//! whole) are those of the surrounding future. Parallel children (`spawn_parallel`) run elsewhere and
//! borrow nothing: they are `'static`.

#![allow(unsafe_code)] // reads errors out of slots; the invariants are in `shared.rs` and `state.rs`

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project::{pin_project, pinned_drop};

use super::child;
use super::driver::{Engine, Progress, Typed};
use super::group::Group;
use super::header::Header;
use super::mode::{Fallible, Plain};
use super::shared::Shared;
use super::state::Phase;
use crate::error::ErrorGroup;
use crate::scope::Reason;
use crate::scope::alarm::{Alarm, Cover};
use crate::scope::frame::{self, Frame, Region, RegionState};
use crate::scope::node::Node;
use crate::util::catch::{self, Payload, catch};
use crate::util::sync::lock;
use crate::util::{budget, report};

/// How a mode makes the result of a group.
pub trait DriveMode<T> {
    /// What children fail with.
    type Error;
    /// What the body gives.
    type Body;
    /// What the group gives.
    type Output;

    #[doc(hidden)]
    fn body(body: Self::Body) -> Result<T, Self::Error>;
    #[doc(hidden)]
    fn value(value: T) -> Self::Output;
    #[doc(hidden)]
    fn errors(errors: Vec<Self::Error>, name: Option<String>) -> Self::Output;
}

impl<T> DriveMode<T> for Plain {
    type Error = Infallible;
    type Body = T;
    type Output = T;

    fn body(body: T) -> Result<T, Infallible> {
        Ok(body)
    }

    fn value(value: T) -> T {
        value
    }

    fn errors(mut errors: Vec<Infallible>, _: Option<String>) -> T {
        match errors.pop() {
            Some(never) => match never {},
            None => unreachable!("called with errors only"),
        }
    }
}

impl<T, E> DriveMode<T> for Fallible<E> {
    type Error = E;
    type Body = Result<T, E>;
    type Output = Result<T, ErrorGroup<E>>;

    fn body(body: Result<T, E>) -> Result<T, E> {
        body
    }

    fn value(value: T) -> Self::Output {
        Ok(value)
    }

    fn errors(errors: Vec<E>, name: Option<String>) -> Self::Output {
        Err(ErrorGroup::from_errors(errors, name).expect("called with errors only"))
    }
}

/// Drives the body and the children of a group to their end.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Drive<'scope, T, M: DriveMode<T>, S, B> {
    group: &'scope Group<T, M, S>,
    state: State,
    cover: Cover,
    #[pin]
    alarm: Alarm,
    deadline: Option<Instant>,
    progress: Progress,
    #[pin]
    body: Option<B>,
    value: Option<T>,
    errors: Vec<M::Error>,
    scope: PhantomData<&'scope mut &'scope ()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Running,
    /// All members have ended, some cancelled from further out: waits to be dropped.
    Unwinding,
    Over,
}

impl<'scope, T, M: DriveMode<T>, S, B> Drive<'scope, T, M, S, B> {
    pub(super) fn new(group: &'scope Group<T, M, S>, body: B) -> Self {
        Self {
            group,
            state: State::New,
            cover: Cover::new(),
            alarm: Alarm::new(),
            deadline: None,
            progress: Progress::new(),
            body: Some(body),
            value: None,
            errors: Vec::new(),
            scope: PhantomData,
        }
    }
}

/// The region of a group, for its frame.
struct GroupRegion<'a> {
    shared: &'a Shared,
    deadline: Option<Instant>,
}

impl Region for GroupRegion<'_> {
    fn state(&self) -> RegionState {
        let node = self.shared.node();
        RegionState {
            cancelled: node.cancelled(),
            shielded: node.shielded(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn reason(&self) -> Option<Reason> {
        self.shared.node().reason()
    }

    fn node(&self) -> Option<&Arc<Node>> {
        Some(self.shared.node())
    }

    fn make_node(&self) -> &Arc<Node> {
        self.shared.node()
    }
}

/// The typed side of a drive during one poll.
struct Sides<'a, 'p, T, M: DriveMode<T>, B> {
    body: &'a mut Pin<&'p mut Option<B>>,
    value: &'a mut Option<T>,
    errors: &'a mut Vec<M::Error>,
}

impl<T, M: DriveMode<T>, B: Future<Output = M::Body>> Typed for Sides<'_, '_, T, M, B> {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let body = self
            .body
            .as_mut()
            .as_pin_mut()
            .expect("there while it is running");
        let Poll::Ready(output) = body.poll(cx) else {
            return Poll::Pending;
        };
        let result = match M::body(output) {
            Ok(value) => {
                *self.value = Some(value);
                Ok(())
            }
            Err(error) => {
                self.errors.push(error);
                Err(())
            }
        };
        self.body.set(None);
        Poll::Ready(result)
    }

    fn drop_body(&mut self) {
        self.body.set(None);
    }

    unsafe fn take_error(&mut self, child: NonNull<Header>) {
        // SAFETY: the caller's promise; and the handles of this group make children whose errors are of
        // its mode's type only.
        self.errors
            .push(unsafe { child::slot::<M::Error>(child).read() });
    }
}

impl<T, M: DriveMode<T>, S, B: Future<Output = M::Body>> Future for Drive<'_, T, M, S, B> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        let mut this = self.project();
        let shared = this.group.shared();
        let node = shared.node();
        let first = *this.state == State::New;
        match this.state {
            State::New => {
                *this.state = State::Running;
                shared.set_host(
                    frame::top(|top| top.and_then(|top| Some(top.task()?.id()))).unwrap_or(0),
                );
                // The first member to be polled; its state says that it is queued already.
                shared.local().ready.push(NonNull::from(shared.body()));
            }
            State::Running => {}
            State::Unwinding => {
                frame::link(node);
                return Poll::Pending;
            }
            State::Over => panic!("a task group was polled after it had ended"),
        }
        frame::arrive(Some(node));
        // Before anything is looked at: what comes later finds this waker.
        node.park(cx.waker());
        if let Some(deadline) = node.take_retimed() {
            *this.deadline = deadline;
            this.alarm.as_mut().retimed();
        }
        // No member is polled with our waker, so that nobody inside relies on our timer.
        let pass = frame::top(|outer| this.alarm.as_mut().begin(this.cover, outer, cx));
        expire(node, *this.deadline, pass.elapsed());

        let region = GroupRegion {
            shared,
            deadline: *this.deadline,
        };
        let mut sides = Sides::<T, M, B> {
            body: &mut this.body,
            value: this.value,
            errors: this.errors,
        };
        let mut engine = Engine {
            shared,
            progress: this.progress,
            typed: &mut sides,
        };
        let claim = shared.claim();
        let ended = frame::enter(&Frame::new(&region), || engine.run(cx));
        drop(claim);
        node.set_own_hold(shared.local().parallel.get() > 0);
        if ended.is_pending() {
            frame::link(node);
            let own = if node.cancelled() {
                None
            } else {
                *this.deadline
            };
            let due = frame::top(|outer| {
                if pass.is_settled(this.cover) {
                    None
                } else {
                    this.alarm
                        .as_mut()
                        .settle(this.cover, &pass, own, outer, cx)
                }
            });
            if let Some(now) = due {
                expire(node, own, Some(now));
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        // A loop over groups that have nothing to wait for lets others run, too.
        if first && !frame::cancelled() && budget::poll_proceed(cx).is_pending() {
            return Poll::Pending;
        }
        frame::top(|outer| this.alarm.finish(this.cover, &pass, outer, cx));
        shared.close();
        shared.sweep();

        let progress = this.progress;
        if progress.panic.is_none() && this.errors.is_empty() && progress.cancelled {
            let further_out = !node.shielded() && frame::cancelled();
            if further_out || !node.cancelled() {
                *this.state = State::Unwinding;
                node.set_own_unwind();
                frame::link(node);
                return Poll::Pending;
            }
            node.set_caught();
        }
        *this.state = State::Over;
        node.end(true);
        if let Some(payload) = progress.panic.take() {
            resume_unwind(payload);
        }
        if !this.errors.is_empty() {
            let name = shared.name().map(ToString::to_string);
            return Poll::Ready(M::errors(std::mem::take(this.errors), name));
        }
        let value = this.group.result(this.value.take());
        Poll::Ready(M::value(value.expect(
            "the body ended well, or whoever cancelled it left a value",
        )))
    }
}

/// Cancels the group if its deadline has passed.
fn expire(node: &Node, deadline: Option<Instant>, now: Option<Instant>) {
    if let (Some(deadline), Some(now)) = (deadline, now)
        && deadline <= now
    {
        node.cancel(|| Reason::Deadline);
    }
}

/// The end of `'scope`, if the group did not end by itself: everything that may borrow goes now.
#[pinned_drop]
impl<T, M: DriveMode<T>, S, B> PinnedDrop for Drive<'_, T, M, S, B> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if *this.state == State::Over {
            return;
        }
        this.alarm.as_mut().dropped(this.cover);
        let shared = this.group.shared();
        // Shielded parts inside report themselves as they are dropped.
        if *this.state == State::Running && shared.node().shielded() {
            report::lost_clean_up("a shielded task group", shared.location());
        }
        let mut first: Option<Payload> = catch(|| this.body.set(None)).err();
        shared.close();
        let local = shared.local();
        while let Some(member) = local.members.first().or_else(|| local.holding.first()) {
            // SAFETY: in a list, hence alive; we have the driver exclusively, and its reference.
            let panicked = unsafe {
                shared.forget(member);
                drop_member::<M::Error>(member)
            };
            if let Some(payload) = panicked {
                match &first {
                    None => first = Some(payload),
                    Some(_) => report::further_panic(catch::text(&payload), shared.location()),
                }
            }
        }
        shared.sweep();
        frame::end_dropped(shared.node());
        if let Some(payload) = first {
            if std::thread::panicking() {
                report::further_panic(catch::text(&payload), shared.location());
            } else {
                resume_unwind(payload);
            }
        }
    }
}

/// Ends a child of a group that goes away: drops its future, or leaves it, cancelled, to the task that has
/// it. Gives the payload if something panicked.
///
/// # Safety
///
/// The driver's reference is passed in, the child is in no list any more, and its group's errors are `E`s.
unsafe fn drop_member<E>(member: NonNull<Header>) -> Option<Payload> {
    // SAFETY: alive by that reference.
    let header = unsafe { member.as_ref() };
    if let Some(node) = header.node() {
        frame::end_dropped(node);
    }
    let parallel = header.vtable().parallel;
    let seen = if parallel {
        header.keep_shared();
        header.state.abandon()
    } else {
        header.state.look()
    };
    match seen.phase() {
        Some(phase) => {
            // It ended elsewhere, and nobody has settled it yet.
            let payload = match phase {
                Phase::Value | Phase::Cancelled => None,
                // SAFETY: the error is in the slot, and the driver is who takes it.
                Phase::Failed => catch(|| drop(unsafe { child::slot::<E>(member).read() })).err(),
                Phase::Panicked => header.extra().and_then(|extra| lock(&extra.payload).take()),
            };
            let seen = if parallel {
                seen
            } else {
                header.keep_shared();
                header.state.let_go()
            };
            // SAFETY: the driver's reference, and the child is dead.
            unsafe { Shared::leave(member, seen) };
            payload
        }
        None if parallel => {
            header.alert();
            if !seen.queued() {
                // SAFETY: in no queue, so the reference is ours.
                unsafe { Header::release(member) };
            }
            None
        }
        None => {
            // SAFETY: not ended, so the future is in the slot.
            let payload = unsafe { (header.vtable().drop_future)(member) };
            let phase = if payload.is_some() {
                Phase::Panicked
            } else {
                Phase::Cancelled
            };
            // SAFETY: the driver's reference; the slot is empty.
            unsafe { Shared::let_go(member, phase) };
            payload
        }
    }
}

impl<T, M: DriveMode<T>, S, B> fmt::Debug for Drive<'_, T, M, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("group", &self.group)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
