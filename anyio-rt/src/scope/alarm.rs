//! One timer for a whole chain of nested deadlines.
//!
//! Sixteen timeouts around one operation need one wake-up: that of the earliest deadline. So a scope
//! does not arm a timer if a scope around it that is *polled with the same waker* can do it: the inner
//! one hands its deadline out ([`Alarm::hand`]), and the outermost of such a run of scopes, the *top*, arms
//! a single timer for the earliest of them. When it goes off, the task is polled, the time that has
//! certainly come is handed back in ([`Pass::elapsed`]), and each scope compares its own deadline and hands
//! it out anew.
//!
//! As long as the timer is armed, has not gone off and belongs to the task that polls, the polls are *calm*:
//! a scope that has handed its deadline out under the same `token` has nothing to do ([`Alarm::is_calm`]).
//!
//! # Why no deadline gets lost
//!
//! The top keeps this: its timer goes off no later than any deadline handed out under its token. A scope
//! that relies on it must be polled again if the timer goes away.
//!
//! 1. *Same waker, same poll.* Whoever polls the top T with waker W, and thereby a covered scope D with W
//!    too, cannot tell from a wake of W which of the two it was for. So as long as D is wanted at all, each
//!    poll that a wake of W causes polls D as well. A new token (the timer went off, or T turned up under
//!    another waker) thus finds D and makes it hand its deadline out again.
//! 2. *A covering scope C ends or is dropped while D lives on* (D was only borrowed or boxed there). Each
//!    cover counts the scopes that rely on it (`alive`); those that end under it are taken off. If some are
//!    left when C ends, C wakes W as it goes: the task is polled once more, and by 1 D is too. If C is
//!    dropped instead, the top does that (`covers`); a C in the middle leaves it to the top, which still
//!    counts C. What D handed to C in the very poll in which C goes is handed on by C, since D counts as known
//!    from then on ([`Cover::pass_on`]).
//! 3. *The top turns up under another waker.* Then it was moved, and D with it or not. A D that came along is
//!    polled with the new waker and hands its deadline out again, to the cover under its new name; if one is
//!    missing at the end of the poll, the top wakes the old W before it forgets it. (Not always: some
//!    combinators make a new waker for each poll, and would be woken for ever.)
//! 4. *D turns up elsewhere.* It is polled there before it can wait there, and hands its deadline out
//!    there. At C it is never taken off, so that C wakes W once too often at its end.
//! 5. *The top is leaked.* Its timer stays where it is and wakes W in time.
//!
//! A wake too many is one extra poll; a wake too few would be a lost timeout. Each rule errs on that
//! side.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Waker};
use std::time::Instant;

use pin_project::pin_project;

use super::frame::{self, Frame};
use crate::backend::{Env, NoBackendError, Timer};
use crate::util::ids;
use crate::util::waker_id::WakerId;

/// What a scope keeps for those inside that rely on it.
#[derive(Debug)]
pub(crate) struct Cover {
    /// Tells it from all others; 0 until somebody relies on it.
    id: Cell<u64>,
    /// How many rely on it, as far as it was told.
    alive: Cell<u32>,
    /// The earliest deadline handed out in this poll.
    need: Cell<Option<Instant>>,
}

impl Cover {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            id: Cell::new(0),
            alive: Cell::new(0),
            need: Cell::new(None),
        }
    }

    /// The waker is another: all who rely on it have to say so again.
    fn rename(&self, pass: &mut Pass<'_>) {
        pass.old_id = self.id.replace(0);
        pass.missing = Cell::new(self.alive.take());
    }

    /// Someone who knows it by `id` relies on it no longer, or no longer under that id.
    fn forget(&self, id: u64, pass: &Pass<'_>) {
        if id == 0 {
            return;
        }
        let count = if id == self.id.get() {
            &self.alive
        } else if id == pass.old_id {
            &pass.missing
        } else {
            return;
        };
        count.set(count.get().saturating_sub(1));
    }

    /// Somebody inside is to be woken at `deadline` or before.
    fn ask(&self, deadline: Instant) {
        let need = self.need.get();
        self.need
            .set(Some(need.map_or(deadline, |need| need.min(deadline))));
    }

    /// The scope goes, perhaps in the poll in which something was handed to it: that is known by the top's
    /// token now, so the top has to hear of it.
    fn pass_on(&self, outer: Option<&Frame<'_>>) {
        if let Some(need) = self.need.take()
            && let Some(outer) = outer.and_then(|outer| outer.cover)
        {
            outer.ask(need);
        }
    }

    /// Whether nothing has been handed out in this poll.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.need.get().is_none()
    }
}

/// One poll of a scope, for its frame. In a calm poll the scopes inside share that of the top.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    waker: &'a Waker,
    /// Under which a deadline handed out now is known. The top's, or what the top's will be at the end of
    /// this poll.
    token: u64,
    /// Whether scopes that are known under the token have nothing to do.
    calm: bool,
    /// A time that has certainly come.
    elapsed: Option<Instant>,
    /// A reading of the clock made in this poll.
    read: Cell<Option<Instant>>,
    /// The id that the cover had under the waker before, if that was another.
    old_id: u64,
    /// How many of those who know the cover by that have not turned up under the new waker.
    missing: Cell<u32>,
}

impl Pass<'_> {
    /// A time that has certainly come, if timers said anything in this poll.
    #[inline]
    pub(crate) fn elapsed(&self) -> Option<Instant> {
        self.elapsed
    }

    /// After a poll of the inside that was pending: whether the next wake-up is arranged for as it is.
    #[inline]
    pub(crate) fn is_settled(&self, cover: &Cover) -> bool {
        self.calm && cover.is_quiet()
    }

    /// The time, read at most once in a poll that a run of nested scopes starts in.
    ///
    /// What is given was read during the current poll of this scope: not before the scope was entered, if
    /// this is its first poll. (Which is why a pass that scopes share keeps none.)
    pub(crate) fn now(&self, outer: Option<&Frame<'_>>) -> Instant {
        let now = self
            .read
            .get()
            .unwrap_or_else(|| expect_backend(Env::now()));
        if let Some(outer) = outer
            .and_then(|outer| outer.pass)
            .filter(|outer| !outer.calm)
        {
            outer.read.set(Some(now));
        }
        now
    }

    /// Whether `cx` wakes the same task as this poll's.
    #[inline]
    fn is_for(&self, cx: &Context<'_>) -> bool {
        ptr::eq(self.waker, cx.waker()) || self.waker.will_wake(cx.waker())
    }
}

/// The timer of a scope, or its share in that of a scope further out. Goes with a [`Cover`].
#[pin_project]
pub(crate) struct Alarm {
    /// Under which our deadline is known to a top; 0 if it is not.
    known: u64,
    /// The id of the cover that it was handed to; 0 if none.
    handed_to: u64,
    /// Whether our own timer is armed.
    armed: bool,
    /// The waker that it was armed for last, and that `covers` is of.
    context: WakerId,
    /// The token of our own timer; 0 while it is not armed, or nobody inside relies on it.
    token: u64,
    #[pin]
    timer: Option<Timer>,
    /// Whom to wake for those inside if we go away. Set whenever they rely on our own timer.
    covers: Option<Waker>,
}

impl Alarm {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            known: 0,
            handed_to: 0,
            armed: false,
            context: WakerId::NONE,
            token: 0,
            timer: None,
            covers: None,
        }
    }

    /// Whether `around`, the pass of the frame around, serves this scope too: calm, for the same task, and
    /// our deadline is known.
    #[inline]
    pub(crate) fn is_calm(&self, around: &Pass<'_>, cx: &Context<'_>) -> bool {
        around.calm
            && self.known != 0
            && around.token == self.known
            && !self.armed
            && around.is_for(cx)
    }

    /// Before a poll of the inside that is not calm: the pass for its frame. `outer` is the frame around it.
    #[inline]
    pub(crate) fn begin<'w>(
        self: Pin<&mut Self>,
        cover: &Cover,
        outer: Option<&Frame<'_>>,
        cx: &Context<'w>,
    ) -> Pass<'w> {
        let mut pass = Pass {
            waker: cx.waker(),
            token: self.token,
            calm: false,
            elapsed: None,
            read: Cell::new(None),
            old_id: 0,
            missing: Cell::new(0),
        };
        if self.covers.is_some() && self.context != WakerId::in_context(cx) {
            cover.rename(&mut pass);
        }
        if self.armed {
            self.look(&mut pass);
        }
        if let Some(around) = outer.and_then(|outer| outer.pass) {
            pass.elapsed = pass.elapsed.max(around.elapsed);
            if around.is_for(cx) {
                // Not the top, or not for long.
                (pass.token, pass.calm) = (around.token, false);
            }
        }
        if pass.token == 0 {
            pass.token = ids::next();
        }
        pass
    }

    /// What our own timer has to say.
    #[inline]
    fn look(self: Pin<&mut Self>, pass: &mut Pass<'_>) {
        let this = self.project();
        let Some(timer) = this.timer.as_ref().as_pin_ref() else {
            return;
        };
        if timer.fired() {
            pass.elapsed = Some(timer.deadline());
            (*this.armed, *this.token) = (false, 0);
        } else if *this.context == WakerId::of(pass.waker) {
            pass.calm = true;
        } else {
            *this.token = 0;
        }
        pass.token = *this.token;
    }

    /// The deadline of the scope is another than it was: the next poll is not calm.
    pub(crate) fn retimed(self: Pin<&mut Self>) {
        let this = self.project();
        (*this.known, *this.token) = (0, 0);
        // Not disarmed, but looked at anew.
        *this.armed = false;
    }

    /// After a poll of the inside that was pending: sees to it that the task is woken at `own` and at
    /// the deadlines of the scopes inside. Gives the time that came meanwhile, if one did.
    pub(crate) fn settle(
        self: Pin<&mut Self>,
        cover: &Cover,
        pass: &Pass<'_>,
        own: Option<Instant>,
        outer: Option<&Frame<'_>>,
        cx: &mut Context<'_>,
    ) -> Option<Instant> {
        let this = self.project();
        let waker = WakerId::in_context(cx);
        // Whatever follows: the next poll under this waker does not know that they are missing.
        if *this.context != waker
            && let Some(old) = this.covers.take()
            && pass.missing.get() > 0
        {
            old.wake();
        }
        let inside = cover.need.take();
        let need = own.map_or(inside, |own| {
            Some(inside.map_or(own, |inside| own.min(inside)))
        });
        // An armed timer that nobody needs is left to go off for nothing; that is rarer than a new deadline.
        let need = need?;
        if let Some((around, outer)) = outer.and_then(|outer| outer.pass.zip(outer.cover))
            && around.is_for(cx)
        {
            // What our own timer was to cover, the top covers now.
            let timer = this.timer.as_ref().as_pin_ref().filter(|_| *this.armed);
            let need = timer.map_or(need, |timer| timer.deadline().min(need));
            *this.known = around.token;
            Self::hand(this.handed_to, need, outer, around);
            *this.covers = None;
            return None;
        }
        (*this.known, *this.handed_to) = (0, 0);
        if cover.alive.get() == 0 {
            *this.covers = None;
        } else if this.covers.is_none() {
            *this.covers = Some(cx.waker().clone());
        }
        if *this.token == 0 && cover.alive.get() > 0 {
            *this.token = pass.token;
        }
        let armed = this.armed.then_some(std::mem::replace(this.context, waker));
        // Also if it goes off at once: then the next `begin` tells those inside.
        *this.armed = true;
        Self::arm(this.timer, armed, need, waker, cx)
    }

    /// Hands a deadline to the cover of the scope around this one.
    fn hand(handed_to: &mut u64, deadline: Instant, to: &Cover, pass: &Pass<'_>) {
        to.ask(deadline);
        if to.id.get() == 0 {
            to.id.set(ids::next());
        }
        if *handed_to != to.id.get() {
            to.forget(*handed_to, pass);
            *handed_to = to.id.get();
            to.alive.set(to.alive.get() + 1);
        }
    }

    /// Has the timer, armed for another waker or this one or not at all, go off at `need` or before. Gives
    /// `need` if it has come already.
    fn arm(
        mut timer: Pin<&mut Option<Timer>>,
        armed: Option<WakerId>,
        need: Instant,
        waker: WakerId,
        cx: &mut Context<'_>,
    ) -> Option<Instant> {
        match timer.as_mut().as_pin_mut() {
            Some(timer) if armed == Some(waker) && timer.deadline() <= need => return None,
            // Armed for another task, which may have let scopes of another token go.
            Some(timer) if armed.is_some() && timer.deadline() == need => {}
            Some(timer) => timer.reset(need),
            None => timer.set(Some(expect_backend(Timer::at(need)))),
        }
        let timer = timer.as_pin_mut().expect("set just above");
        timer.poll(cx).is_ready().then_some(need)
    }

    /// The scope ends in this poll, whose frame is already gone.
    #[inline]
    pub(crate) fn finish(
        self: Pin<&mut Self>,
        cover: &Cover,
        pass: &Pass<'_>,
        outer: Option<&Frame<'_>>,
        cx: &Context<'_>,
    ) {
        let this = self.project();
        if *this.handed_to != 0 {
            take_off(this.handed_to, outer);
        }
        if let Some(old) = this.covers.take()
            && pass.missing.get() > 0
        {
            old.wake();
        }
        // Also if nobody relied on this cover itself: it may have come from one that went before.
        cover.pass_on(outer);
        if cover.alive.take() > 0 {
            cx.waker().wake_by_ref();
        }
    }

    /// The scope is dropped before it has ended.
    pub(crate) fn dropped(self: Pin<&mut Self>, cover: &Cover) {
        let this = self.project();
        frame::top(|outer| {
            if cover.alive.get() == 0 {
                take_off(this.handed_to, outer);
            }
            // There is something if the poll it was handed out in panicked.
            cover.pass_on(outer);
        });
        if let Some(waker) = this.covers.take() {
            waker.wake();
        }
    }
}

/// Tells the scope around that one of those who rely on it does no longer, if that is still the same scope.
fn take_off(handed_to: &mut u64, outer: Option<&Frame<'_>>) {
    let id = std::mem::take(handed_to);
    if let Some((cover, pass)) = outer.and_then(|outer| outer.cover.zip(outer.pass)) {
        cover.forget(id, pass);
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm")
            .field("armed", &self.armed)
            .finish_non_exhaustive()
    }
}

fn expect_backend<T>(result: Result<T, NoBackendError>) -> T {
    result.unwrap_or_else(|error| panic!("a deadline needs a clock and a timer, but {error}"))
}
