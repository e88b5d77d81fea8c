//! One timer for a whole chain of nested deadlines.
//!
//! Sixteen timeouts around one operation need one wake-up: that of the earliest deadline. So a scope
//! does not arm a timer if a scope around it that is *polled with the same waker* can do it: the inner
//! one hands its deadline out ([`Cover::need`]) and the outermost of such a run of scopes arms a single
//! timer for the earliest of them. When it goes off, the task is polled, the time that has certainly
//! come is handed back in ([`Cover::elapsed`]), and each scope compares its own deadline.
//!
//! # Why no deadline gets lost
//!
//! A scope that relies on another's timer must be polled again if that timer goes away.
//!
//! 1. *Same waker, same poll.* Whoever polls the covering scope C with waker W, and thereby the covered
//!    scope D with W too, cannot tell from a wake of W which of the two it was for. So as long as D is
//!    wanted at all, each poll that a wake of W causes polls D as well, and D hands its deadline out anew.
//!    The need is recomputed in every poll; nothing about D is kept in C except how many there were.
//! 2. *C ends or is dropped while D lives on* (D was only borrowed or boxed there). C counts how many
//!    scopes it covers (`covered`) and how many of them ended in its last poll (`ended`). If these
//!    differ, or if some D has handed its deadline to C in this very poll, C wakes W as it goes: the
//!    task is polled once more, and by 1 D is too.
//! 3. *C turns up under another waker.* Then it was moved, and D with it or not. C wakes the old W
//!    before it forgets it.
//! 4. *D turns up elsewhere.* It is polled there before it can wait there, and hands its deadline out
//!    there. At C it goes missing from the count, so that C wakes W once too often at its end.
//! 5. *C is leaked.* Its timer stays where it is and wakes W in time.
//!
//! A wake too many is one extra poll; a wake too few would be a lost timeout. Each rule errs on that
//! side.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

use pin_project::{pin_project, pinned_drop};

use super::frame;
use crate::backend::{Env, NoBackendError, Timer};
use crate::util::ids;
use crate::util::waker_id::WakerId;

/// What the scopes inside see of an alarm during one poll.
#[derive(Debug)]
pub(crate) struct Cover {
    /// A reading of the clock made in this poll.
    read: Cell<Option<Instant>>,
    /// A time that has certainly come.
    elapsed: Cell<Option<Instant>>,
    /// The earliest deadline that scopes inside have handed out in this poll.
    need: Cell<Option<Instant>>,
    /// How many have.
    handed: Cell<u32>,
    /// How many that did so in the last poll ended in this one.
    ended: Cell<u32>,
    /// Tells this alarm from others that lived at the same address; 0 until it covers somebody.
    id: Cell<u64>,
}

impl Cover {
    /// The time, read at most once in a poll that a run of nested scopes starts in.
    ///
    /// What is given was read during the current poll of this cover's scope: not before the scope was
    /// entered, if this is its first poll.
    pub(crate) fn now(&self) -> Instant {
        let now = self.read.get().unwrap_or_else(|| expect_backend(Env::now()));
        frame::top(|top| {
            if let Some(outer) = top.and_then(|top| top.cover) {
                outer.read.set(Some(now));
            }
        });
        now
    }

    fn hand(&self, deadline: Instant) -> u64 {
        self.need.set(Some(self.need.get().map_or(deadline, |need| need.min(deadline))));
        self.handed.set(self.handed.get() + 1);
        if self.id.get() == 0 {
            self.id.set(ids::next());
        }
        self.id.get()
    }
}

/// The timer of a scope, or its share in that of a scope further out.
#[pin_project(PinnedDrop)]
pub(crate) struct Alarm {
    cover: Cover,
    #[pin]
    timer: Option<Timer>,
    /// For which task the timer is armed; unset while it is not.
    armed: Option<WakerId>,
    /// How many scopes inside relied on us after our last poll.
    covered: u32,
    /// Whom to wake for them if we go away. Set whenever `covered` is not 0 and the timer is ours.
    covers: Option<Waker>,
    /// The id of the cover that has our deadline; 0 if none.
    handed_to: u64,
}

impl Alarm {
    pub(crate) const fn new() -> Self {
        Self {
            cover: Cover {
                read: Cell::new(None),
                elapsed: Cell::new(None),
                need: Cell::new(None),
                handed: Cell::new(0),
                ended: Cell::new(0),
                id: Cell::new(0),
            },
            timer: None,
            armed: None,
            covered: 0,
            covers: None,
            handed_to: 0,
        }
    }

    /// For the frame of the scope.
    pub(crate) fn cover(&self) -> &Cover {
        &self.cover
    }

    /// Before a poll of the inside: the time that has certainly come, if timers say anything.
    pub(crate) fn begin(self: Pin<&mut Self>) -> Option<Instant> {
        let mut this = self.project();
        let mut elapsed = frame::top(|top| top?.cover?.elapsed.get());
        if this.armed.is_some()
            && let Some(timer) = this.timer.as_mut().as_pin_mut()
            && timer.fired()
        {
            elapsed = elapsed.max(Some(timer.deadline()));
            *this.armed = None;
        }
        this.cover.read.set(None);
        this.cover.elapsed.set(elapsed);
        this.cover.need.set(None);
        this.cover.handed.set(0);
        this.cover.ended.set(0);
        elapsed
    }

    /// After a poll of the inside that was pending: sees to it that the task is woken at `own` and at
    /// the deadlines of the scopes inside. Gives the time that came meanwhile, if one did.
    pub(crate) fn settle(
        self: Pin<&mut Self>,
        own: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Option<Instant> {
        let mut this = self.project();
        let inside = this.cover.need.get();
        let Some(need) = own.map_or(inside, |own| Some(inside.map_or(own, |inside| own.min(inside)))) else {
            // An armed timer is left to go off for nothing; that is rarer than a new deadline.
            *this.covered = 0;
            *this.handed_to = 0;
            return None;
        };
        *this.covered = this.cover.handed.get();
        let waker = WakerId::in_context(cx);
        let handed_to = frame::top(|top| match top {
            Some(frame) if frame.waker == waker => frame.cover.map(|cover| cover.hand(need)),
            _ => None,
        });
        if let Some(id) = handed_to {
            *this.handed_to = id;
            // Whoever covers us covers those inside as well; if we were armed, rule 3 is due.
            return match this.covers.take() {
                Some(old) if WakerId::of(&old) != waker => {
                    old.wake();
                    None
                }
                _ => None,
            };
        }
        *this.handed_to = 0;
        if *this.covered == 0 {
            *this.covers = None;
        } else if this.covers.as_ref().is_none_or(|old| WakerId::of(old) != waker) {
            if let Some(old) = this.covers.replace(cx.waker().clone()) {
                old.wake();
            }
        }
        if *this.armed == Some(waker) && this.timer.as_ref().as_pin_ref().is_some_and(|timer| timer.deadline() <= need) {
            return None;
        }
        match this.timer.as_mut().as_pin_mut() {
            Some(mut timer) => {
                if timer.deadline() != need || this.armed.is_none() {
                    timer.as_mut().reset(need);
                }
            }
            None => this.timer.set(Some(expect_backend(Timer::at(need)))),
        }
        let timer = this.timer.as_pin_mut().expect("set just above");
        // Also if it goes off at once: then the next `begin` tells those inside.
        *this.armed = Some(waker);
        timer.poll(cx).is_ready().then_some(need)
    }

    /// The scope ends in this poll, whose frame is already gone.
    pub(crate) fn finish(self: Pin<&mut Self>, cx: &Context<'_>) {
        let this = self.project();
        if *this.handed_to != 0 {
            let id = *this.handed_to;
            frame::top(|top| {
                if let Some(cover) = top.and_then(|top| top.cover)
                    && cover.id.get() == id
                {
                    cover.ended.set(cover.ended.get() + 1);
                }
            });
            *this.handed_to = 0;
        }
        let orphaned = this.cover.handed.get() > 0 || *this.covered > this.cover.ended.get();
        *this.covered = 0;
        *this.covers = None;
        if orphaned {
            cx.waker().wake_by_ref();
        }
    }
}

/// Rule 2: a scope that is dropped before it ended may be survived by scopes it covered.
#[pinned_drop]
impl PinnedDrop for Alarm {
    fn drop(self: Pin<&mut Self>) {
        if let Some(waker) = self.project().covers.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm")
            .field("armed", &self.armed.is_some())
            .field("covered", &self.covered)
            .finish_non_exhaustive()
    }
}

fn expect_backend<T>(result: Result<T, NoBackendError>) -> T {
    result.unwrap_or_else(|error| panic!("a deadline needs a clock and a timer, but {error}"))
}
