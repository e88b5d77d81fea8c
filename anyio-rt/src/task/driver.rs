//! Polling the members of a group, and ending them.
//!
//! One poll of the driver is one [`Engine::run`]: poll what is ready, judge what a cancellation reaches,
//! say whether everything has ended. The engine does not depend on the types of the group; what does (the
//! body, the errors) is behind [`Typed`].
//!
//! # Delivering a cancellation
//!
//! Only in a *quiet* pass: as long as members wake other members, these are polled before anybody is
//! dropped, so that what has been handed over arrives. A member that wakes itself is not waited for. Members
//! that keep waking each other for ever are given a bounded number of polls ([`Engine::overdue`]).
//!
//! A member that holds (a shield in it is pending, or it is parallel) is moved to the list `holding` and
//! looked at again only after it was polled, so a poll of a cancelled group costs what was polled, not
//! what is there.

#![allow(unsafe_code)] // polls and drops children under the invariants of `shared.rs`

use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::header::{Header, Step};
use super::shared::{Local, Shared};
use super::state::Phase;
use crate::backend;
use crate::scope::Reason;
use crate::scope::frame::{self, Frame};
use crate::util::catch::{self, Payload, catch};
use crate::util::report;
use crate::util::sync::lock;

/// How many members one poll of the driver polls before it lets the task's executor run.
const BUDGET: usize = 128;

/// What the engine needs of the group's types.
pub(super) trait Typed {
    /// Polls the body; when it is ready, keeps what it gave. Says whether it failed.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>>;

    /// Drops the body where it stands.
    fn drop_body(&mut self);

    /// Takes the error out of the slot of a child that failed.
    ///
    /// # Safety
    ///
    /// The error of a child of this group is in its slot, and nobody else touches that.
    unsafe fn take_error(&mut self, child: NonNull<Header>);
}

/// What becomes of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Running,
    Ended,
    Cancelled,
}

/// How far a group is; survives from poll to poll.
pub(super) struct Progress {
    pub(super) body: Body,
    /// Whether a cancellation of the group or from further out ended a member.
    pub(super) cancelled: bool,
    /// The first panic of a member.
    pub(super) panic: Option<Payload>,
    /// Whether the last pass found the group cancelled.
    doomed: bool,
    /// How many polls of members there were since then without a quiet pass.
    restless: usize,
}

impl Progress {
    pub(super) const fn new() -> Self {
        Self {
            body: Body::Running,
            cancelled: false,
            panic: None,
            doomed: false,
            restless: 0,
        }
    }

    /// Keeps the first panic and reports the others.
    fn panicked(&mut self, payload: Payload, header: &Header) {
        if self.panic.is_some() {
            report::further_panic(catch::text(&payload), header.location());
        } else {
            self.panic = Some(payload);
        }
    }
}

/// One poll of a driver. Runs inside the group's frame, on the thread that has claimed the group.
pub(super) struct Engine<'a> {
    pub(super) shared: &'a Shared,
    pub(super) progress: &'a mut Progress,
    pub(super) typed: &'a mut dyn Typed,
}

impl Engine<'_> {
    fn local(&self) -> &Local {
        self.shared.local()
    }

    /// Ready once the body and all children have ended.
    pub(super) fn run(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut left = BUDGET;
        loop {
            self.shared.drain();
            while let Some(member) = self.local().ready.pop() {
                // SAFETY: just taken out of the queue.
                let pending = unsafe { self.step(member) };
                left -= 1;
                // What is ready at once has not used tokio's budget up.
                if left == 0 || (pending && !backend::has_budget()) {
                    if self.note_doom() && self.overdue() {
                        self.deliver();
                    }
                    return self.pause(cx);
                }
            }
            if self.is_over() {
                return Poll::Ready(());
            }
            if self.note_doom() {
                if self.shared.has_remote() && !self.overdue() {
                    continue;
                }
                if self.deliver() {
                    continue;
                }
            }
            if !self.shared.has_remote() {
                return self.pause(cx);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.progress.body != Body::Running && self.shared.live() == 0 && !self.shared.has_remote()
    }

    /// Ends the poll; comes back soon if members are still ready.
    fn pause(&self, cx: &Context<'_>) -> Poll<()> {
        let local = self.local();
        if self.is_over() {
            return Poll::Ready(());
        }
        local.ready.append(&local.yielded);
        if !local.ready.is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Deals with one member that was ready. Says whether it was polled and still is not done.
    ///
    /// # Safety
    ///
    /// The caller took `member` out of a queue of this group, and with it the reference that the queue
    /// may have had.
    #[inline]
    unsafe fn step(&mut self, member: NonNull<Header>) -> bool {
        // SAFETY: alive by the driver's reference, or the queue's.
        let header = unsafe { member.as_ref() };
        let seen = header.state.unqueue();
        self.progress.restless += 1;
        if header.is_body() {
            return self.progress.body == Body::Running && self.step_body(member);
        }
        if seen.dead() {
            // SAFETY: the driver left its reference to the queue, and `unqueue` handed it to us.
            unsafe { Header::release(member) };
        } else if let Some(phase) = seen.phase() {
            // SAFETY: ended, not dead, in our list.
            unsafe { self.settle(member, phase) };
        } else if !header.vtable().parallel {
            // SAFETY: not ended, so the future is in the slot; only the driver touches it.
            return unsafe { self.step_child(member) };
        }
        false
    }

    fn step_body(&mut self, member: NonNull<Header>) -> bool {
        let header = self.shared.body();
        // SAFETY: the shared part is alive for as long as we borrow it.
        let waker = unsafe { Header::borrowed_waker(member) };
        let mut cx = Context::from_waker(&waker);
        self.local().polling.set(Some(member));
        let frame = Frame::new(header);
        let polled = frame::enter(&frame, || catch(|| self.typed.poll_body(&mut cx)));
        self.local().polling.set(None);
        match polled {
            Ok(Poll::Pending) => {
                if let Some(node) = header.node() {
                    frame::link(node);
                    node.park(&waker);
                }
                if header.unwound() {
                    self.drop_body();
                }
                return true;
            }
            Ok(Poll::Ready(result)) => {
                self.progress.body = Body::Ended;
                if result.is_err() {
                    self.fail(header, "the body failed");
                }
            }
            Err(payload) => {
                self.progress.body = Body::Ended;
                self.progress.panicked(payload, header);
                self.fail(header, "the body panicked");
                self.catch_drop_body();
            }
        }
        if let Some(node) = header.node() {
            node.end(true);
        }
        false
    }

    /// # Safety
    ///
    /// The future of `member` is in its slot.
    #[inline]
    unsafe fn step_child(&mut self, member: NonNull<Header>) -> bool {
        // SAFETY: alive by the driver's reference, which is given up only in `settle` and `drop_child`.
        let header = unsafe { member.as_ref() };
        // SAFETY: the same.
        let waker = unsafe { Header::borrowed_waker(member) };
        let mut cx = Context::from_waker(&waker);
        self.local().polling.set(Some(member));
        frame::arrive(header.node());
        let frame = Frame::new(header);
        let poll = header.vtable().poll;
        // SAFETY: the caller's promise; the slot is touched by the driver only, until the child ends.
        let step = frame::enter(&frame, || unsafe { poll(member, &mut cx) });
        self.local().polling.set(None);
        let phase = match step {
            Step::Pending => {
                // SAFETY: pending, so the future is in the slot.
                unsafe { self.judge(member, &waker) };
                return true;
            }
            Step::Value => Phase::Value,
            Step::Failed => Phase::Failed,
            Step::Panicked(payload) => {
                self.progress.panicked(payload, header);
                Phase::Panicked
            }
        };
        // SAFETY: the slot is as the step says.
        unsafe { self.end(member, phase) };
        false
    }

    /// After a poll of a child that was pending.
    ///
    /// # Safety
    ///
    /// Its future is in its slot.
    #[inline]
    unsafe fn judge(&mut self, member: NonNull<Header>, waker: &Waker) {
        // SAFETY: alive by the driver's reference.
        let header = unsafe { member.as_ref() };
        if let Some(node) = header.node() {
            frame::link(node);
            node.park(waker);
        }
        if self.progress.doomed {
            // Worth a new look: polled since it was last judged.
            // SAFETY: in a list, as every child that has not ended.
            unsafe { self.local().members.take(member) };
        }
        let alone = header.state.look().cancel() && !header.held() && !frame::cancelled();
        if alone || header.unwound() {
            self.progress.cancelled |= !alone;
            // SAFETY: the caller's promise.
            unsafe { self.drop_child(member) };
        }
    }

    /// Takes note of a child that somebody else has polled to its end.
    ///
    /// # Safety
    ///
    /// It has ended with `phase`, is in a list of ours, and the driver's reference is still ours.
    unsafe fn settle(&mut self, member: NonNull<Header>, phase: Phase) {
        // SAFETY: alive by that reference.
        let header = unsafe { member.as_ref() };
        match phase {
            Phase::Value => {}
            // One that was cancelled alone says nothing about the group.
            Phase::Cancelled => {
                self.progress.cancelled |= !header.state.look().cancel() || frame::cancelled()
            }
            Phase::Failed => {
                // SAFETY: the error is in the slot, and the driver is who takes it.
                unsafe { self.typed.take_error(member) };
                self.fail(header, "a child failed");
            }
            Phase::Panicked => {
                let payload = header.extra().and_then(|extra| lock(&extra.payload).take());
                self.progress
                    .panicked(payload.expect("left by whoever polled it"), header);
                self.fail(header, "a child panicked");
            }
        }
        self.shared.forget(member);
        header.keep_shared();
        let seen = header.state.let_go();
        // SAFETY: the driver's reference; `let_go` made it dead.
        unsafe { Shared::leave(member, seen) };
    }

    /// Ends a child that the driver polled.
    ///
    /// # Safety
    ///
    /// The slot is as `phase` says, and the child has not ended before.
    #[inline]
    unsafe fn end(&mut self, member: NonNull<Header>, phase: Phase) {
        // SAFETY: alive by the driver's reference.
        let header = unsafe { member.as_ref() };
        match phase {
            Phase::Value | Phase::Cancelled => {}
            Phase::Failed => {
                // SAFETY: the error is in the slot.
                unsafe { self.typed.take_error(member) };
                self.fail(header, "a child failed");
            }
            Phase::Panicked => self.fail(header, "a child panicked"),
        }
        if let Some(node) = header.node() {
            node.end(true);
        }
        self.shared.forget(member);
        // SAFETY: the driver's reference is ours to give up.
        unsafe { Shared::let_go(member, phase) };
    }

    /// Drops a child where it stands.
    ///
    /// # Safety
    ///
    /// Its future is in its slot.
    unsafe fn drop_child(&mut self, member: NonNull<Header>) {
        // SAFETY: alive by the driver's reference.
        let header = unsafe { member.as_ref() };
        // SAFETY: the caller's promise.
        let phase = match unsafe { (header.vtable().drop_future)(member) } {
            None => Phase::Cancelled,
            Some(payload) => {
                self.progress.panicked(payload, header);
                Phase::Panicked
            }
        };
        // SAFETY: the slot is empty, as both phases say.
        unsafe { self.end(member, phase) };
    }

    fn drop_body(&mut self) {
        self.progress.body = Body::Cancelled;
        self.progress.cancelled = true;
        self.catch_drop_body();
        if let Some(node) = self.shared.body().node() {
            node.end(true);
        }
    }

    fn catch_drop_body(&mut self) {
        if let Err(payload) = catch(|| self.typed.drop_body()) {
            self.progress.panicked(payload, self.shared.body());
            self.fail(self.shared.body(), "the body panicked");
        }
    }

    /// A member failed: the rest is cancelled.
    fn fail(&self, header: &Header, how: &'static str) {
        let by = (!header.is_body()).then(|| header.task_name());
        self.shared.node().cancel(|| Reason::by(by, how));
    }

    /// Finds out whether a cancellation reaches the members, and prepares for a change of that.
    fn note_doom(&mut self) -> bool {
        let doomed = frame::cancelled();
        if doomed != self.progress.doomed {
            self.progress.doomed = doomed;
            self.progress.restless = 0;
            let local = self.local();
            // All are judged anew; without a doom there is nobody to hold.
            while let Some(member) = local.holding.first() {
                // SAFETY: in a list, hence alive.
                unsafe {
                    if !doomed && member.as_ref().vtable().parallel {
                        Self::set_doomed(member.as_ref(), false);
                    }
                    local.members.take(member);
                }
            }
        }
        doomed
    }

    /// Whether the members have had their time to become quiet.
    ///
    /// The queue is first-in first-out, so by then each that was ready when the cancellation came has
    /// been polled.
    fn overdue(&self) -> bool {
        self.progress.restless > 2 * self.shared.live() + BUDGET
    }

    /// Drops the members that a cancellation reaches and that do not hold. Says whether there was one.
    fn deliver(&mut self) -> bool {
        self.progress.restless = 0;
        let mut dropped = false;
        if self.progress.body == Body::Running && !self.shared.body().held() {
            self.drop_body();
            dropped = true;
        }
        let shared = self.shared;
        let local = shared.local();
        local.judging.take_all(&local.members);
        while let Some(member) = local.judging.first() {
            // SAFETY: in a list, hence alive.
            let header = unsafe { member.as_ref() };
            let seen = header.state.look();
            let keep = if header.vtable().parallel {
                Self::set_doomed(header, true);
                true
            } else {
                // One that has ended elsewhere waits in the queue to be settled.
                header.held() || seen.ended()
            };
            if keep {
                // SAFETY: in a list.
                unsafe { local.holding.take(member) };
            } else {
                self.progress.cancelled = true;
                // SAFETY: not ended and not parallel, so the future is in the slot.
                unsafe { self.drop_child(member) };
                dropped = true;
            }
        }
        dropped
    }

    /// Mirrors the cancellation to a child that a task of its own polls.
    fn set_doomed(header: &Header, doomed: bool) {
        header.state.set_doomed(doomed);
        header.alert();
    }
}
