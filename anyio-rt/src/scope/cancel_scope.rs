//! Cancel scopes, and the future that all timeouts are made of.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project::{pin_project, pinned_drop};

use super::alarm::{Alarm, Cover, Pass};
use super::cancelled::Cancelled;
use super::deadline::Deadline;
use super::frame::{self, Frame, Region, RegionState};
use super::handle::ScopeHandle;
use super::node::{Kind, Node};
use super::reason::Reason;
use crate::backend::Env;
use crate::util::report;

/// A region of code that can be cancelled as a whole.
///
/// Built, perhaps given a deadline or a shield, perhaps cancelled already, then entered once with
/// [`run`](Self::run). [`cancel_scope!`](macro.cancel_scope.html) is the same with the handle at hand.
///
/// ```
/// use anyio::CancelScope;
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// let scope = CancelScope::new().deadline_after(Duration::from_millis(5));
/// let cancelled = scope.run(anyio::sleep_forever()).await.unwrap_err();
/// assert!(cancelled.is_deadline());
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a cancel scope does nothing until something runs in it"]
pub struct CancelScope {
    region: ScopeRegion,
}

impl CancelScope {
    /// A scope without a deadline and without a shield.
    pub const fn new() -> Self {
        Self::with_deadline(Deadline::Never)
    }

    pub(crate) const fn with_deadline(deadline: Deadline) -> Self {
        Self {
            region: ScopeRegion {
                cancelled: Cell::new(false),
                shield: false,
                deadline: Cell::new(deadline),
                node: OnceCell::new(),
            },
        }
    }

    /// Cancels itself this long after it is entered.
    ///
    /// The time counts from the first poll; what the body does before it first suspends may or may not
    /// count. Zero cancels at the first suspension; a delay beyond what the clock can say is none.
    pub fn deadline_after(self, delay: Duration) -> Self {
        self.region.set_deadline(Deadline::After(delay));
        self
    }

    /// Cancels itself at this time; one in the past cancels at the first suspension.
    pub fn deadline_at(self, deadline: Instant) -> Self {
        self.region.set_deadline(Deadline::At(deadline));
        self
    }

    /// Keeps cancellations of the scopes around this one out.
    pub fn shield(mut self, shield: bool) -> Self {
        self.region.shield = shield;
        if let Some(node) = self.region.node.get() {
            node.set_shield(shield);
        }
        self
    }

    /// A handle, to cancel or change the scope before or while something runs in it.
    #[must_use]
    pub fn handle(&self) -> ScopeHandle {
        ScopeHandle::new(Arc::clone(self.region.make_node()))
    }

    /// Runs `inside` in this scope.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the scope was cancelled and `inside` was dropped for it. An `inside` that ends
    /// before one of its suspensions is cancelled gives its value.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `inside` where it stands, shields or not.
    ///
    /// # Panics
    ///
    /// At the first suspension, if there is a deadline and no backend to wait for it.
    #[track_caller]
    pub fn run<F: Future>(self, inside: F) -> Scoped<F> {
        Scoped {
            core: ScopeCore::new(self, inside),
        }
    }
}

/// The region of a scope: alone in its future until somebody needs to see it.
#[derive(Debug, Default)]
struct ScopeRegion {
    /// Whether the deadline passed, as long as there is no node to say so.
    cancelled: Cell<bool>,
    /// The shield, as long as there is no node to say so.
    shield: bool,
    deadline: Cell<Deadline>,
    node: OnceCell<Arc<Node>>,
}

impl ScopeRegion {
    fn set_deadline(&self, deadline: Deadline) {
        self.deadline.set(deadline);
        if let (Some(node), Deadline::At(at)) = (self.node.get(), deadline) {
            node.note_deadline(Some(at));
        }
    }

    /// At the first poll: what can be known of the deadline without waiting.
    #[inline]
    fn enter(&self) {
        match self.deadline.get() {
            Deadline::Never => {}
            Deadline::After(Duration::ZERO) => self.expire(),
            Deadline::After(_) => {
                if let Some(node) = self.node.get() {
                    // Somebody may read it.
                    node.note_deadline(self.deadline());
                }
            }
            Deadline::At(deadline) => {
                if Env::now().is_ok_and(|now| deadline <= now) {
                    self.expire();
                }
            }
        }
    }

    /// The deadline has passed.
    fn expire(&self) {
        match self.node.get() {
            Some(node) => {
                node.cancel(|| Reason::Deadline);
            }
            None => self.cancelled.set(true),
        }
    }

    /// Expires if the deadline is no later than `now`. Says whether the scope is cancelled by it.
    #[inline]
    fn expire_by(&self, now: Instant) -> bool {
        let due = matches!(self.deadline.get(), Deadline::At(deadline) if deadline <= now);
        if due {
            self.expire();
        }
        due
    }

    /// Takes over a deadline that a handle set. Says whether one did.
    #[inline]
    fn look(&self) -> bool {
        let retimed = self.node.get().and_then(|node| node.take_retimed());
        if let Some(deadline) = retimed {
            self.deadline.set(deadline.into());
        }
        retimed.is_some()
    }

    /// Turns a relative deadline into a fixed one, `now` being a time since the scope was entered.
    #[inline]
    fn fix(&self, now: impl FnOnce() -> Instant) {
        if let Deadline::After(delay) = self.deadline.get() {
            // One further away than the clock can say is none.
            self.deadline.set(now().checked_add(delay).into());
        }
    }

    /// The deadline, if it is fixed.
    #[inline]
    fn at(&self) -> Option<Instant> {
        match self.deadline.get() {
            Deadline::At(deadline) => Some(deadline),
            Deadline::Never | Deadline::After(_) => None,
        }
    }

    /// Whether the inside of this region, which is cancelled, is to be dropped now, and the cancellation
    /// ends here.
    #[inline]
    fn absorbs(&self) -> bool {
        (self.state().shielded || !frame::cancelled())
            && self.node.get().is_none_or(|node| !node.held())
    }
}

impl Region for ScopeRegion {
    fn state(&self) -> RegionState {
        match self.node.get() {
            Some(node) => RegionState {
                cancelled: node.cancelled(),
                shielded: node.shielded(),
            },
            None => RegionState {
                cancelled: self.cancelled.get(),
                shielded: self.shield,
            },
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.fix(|| Env::now().unwrap_or_else(|error| panic!("{error}")));
        self.at()
    }

    fn reason(&self) -> Option<Reason> {
        match self.node.get() {
            Some(node) => node.reason(),
            None => self.cancelled.get().then_some(Reason::Deadline),
        }
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| {
            let node = Node::new(Kind::Passing, self.shield);
            if let Deadline::At(deadline) = self.deadline.get() {
                node.note_deadline(Some(deadline));
            }
            if self.cancelled.get() {
                node.cancel(|| Reason::Deadline);
            }
            node
        })
    }
}

/// What the futures of scopes and timeouts share: gives the value, or the reason it was cancelled for.
#[pin_project(PinnedDrop)]
pub(super) struct ScopeCore<F> {
    region: ScopeRegion,
    state: State,
    cover: Cover,
    #[pin]
    alarm: Alarm,
    #[pin]
    inside: Option<F>,
    location: &'static Location<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Entered,
    /// In the middle of a poll, which a panic may have ended. Calm polls are not told apart: nobody shields
    /// in those.
    Polling,
    Over,
}

impl<F: Future> ScopeCore<F> {
    #[track_caller]
    pub(super) fn new(scope: CancelScope, inside: F) -> Self {
        Self {
            region: scope.region,
            state: State::New,
            cover: Cover::new(),
            alarm: Alarm::new(),
            inside: Some(inside),
            location: Location::caller(),
        }
    }

    #[inline]
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Reason>> {
        frame::top(|outer| {
            // Most polls find that nobody has a handle, the deadline is known, and time has not come.
            if let Some(pass) = outer.and_then(|outer| outer.pass)
                && self.alarm.is_calm(pass, cx)
                && self.region.node.get().is_none()
            {
                return match self.as_mut().poll_inside(pass, cx) {
                    Poll::Pending if self.is_quiet() => Poll::Pending,
                    Poll::Pending => self.judge(Poll::Pending, pass, outer, cx),
                    ready => self.judge(ready, pass, outer, cx),
                };
            }
            self.poll_slowly(outer, cx)
        })
    }

    /// Whether a calm poll that was pending has changed nothing.
    #[inline]
    fn is_quiet(&self) -> bool {
        self.cover.is_quiet() && self.region.node.get().is_none() && !self.region.cancelled.get()
    }

    /// Polls the inside in a frame of its own.
    #[inline]
    fn poll_inside(self: Pin<&mut Self>, pass: &Pass<'_>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let inside = this
            .inside
            .as_pin_mut()
            .expect("there until the scope is over");
        frame::enter(&Frame::with_alarm(this.region, pass, this.cover), || {
            inside.poll(cx)
        })
    }

    #[inline(never)]
    fn poll_slowly(
        mut self: Pin<&mut Self>,
        outer: Option<&Frame<'_>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Reason>> {
        let mut this = self.as_mut().project();
        frame::arrive(this.region.node.get());
        if this.region.look() {
            this.alarm.as_mut().retimed();
        }
        let pass = this.alarm.as_mut().begin(this.cover, outer, cx);
        match this.state {
            State::New => this.region.enter(),
            State::Entered | State::Polling => {
                if let Some(now) = pass.elapsed() {
                    this.region.expire_by(now);
                }
            }
            State::Over => panic!("a cancel scope's future was polled after it had ended"),
        }
        *this.state = State::Polling;
        let polled = self.as_mut().poll_inside(&pass, cx);
        self.judge(polled, &pass, outer, cx)
    }

    /// After a poll of the inside: whether the scope ends, and if not, what wakes it.
    fn judge(
        self: Pin<&mut Self>,
        polled: Poll<F::Output>,
        pass: &Pass<'_>,
        outer: Option<&Frame<'_>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Reason>> {
        let mut this = self.project();
        if let Poll::Ready(value) = polled {
            this.alarm.finish(this.cover, pass, outer, cx);
            *this.state = State::Over;
            if let Some(node) = this.region.node.get() {
                node.end(true);
            }
            return Poll::Ready(Ok(value));
        }
        *this.state = State::Entered;
        let mut retimed = false;
        if this.region.shield && outer.is_some() {
            // Those around have to see that it holds, also if nobody has a handle.
            this.region.make_node();
        }
        if let Some(node) = this.region.node.get() {
            frame::link(node);
            node.park(cx.waker());
            // After parking: a handle that moved it before found no waker.
            retimed = this.region.look();
        }
        loop {
            let cancelled = this.region.state().cancelled;
            if cancelled && this.region.absorbs() {
                *this.state = State::Over;
                this.inside.set(None);
                this.alarm.finish(this.cover, pass, outer, cx);
                let reason = this
                    .region
                    .reason()
                    .expect("a cancelled scope has a reason");
                if let Some(node) = this.region.node.get() {
                    node.set_caught();
                    node.end(true);
                }
                return Poll::Ready(Err(reason));
            }
            if pass.is_settled(this.cover) && !retimed {
                return Poll::Pending;
            }
            let own = if cancelled {
                None
            } else {
                this.region.fix(|| pass.now(outer));
                this.region.at()
            };
            match this.alarm.as_mut().settle(this.cover, pass, own, outer, cx) {
                None => return Poll::Pending,
                Some(now) if this.region.expire_by(now) => {
                    // Judged again; those inside whose deadline it was as well are told in a new poll.
                    cx.waker().wake_by_ref();
                }
                Some(_) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }
}

#[pinned_drop]
impl<F> PinnedDrop for ScopeCore<F> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if matches!(this.state, State::New | State::Over) {
            return;
        }
        this.alarm.dropped(this.cover);
        // One that only waited to be dropped has had its clean-up.
        let unwound = this.region.node.get().is_some_and(|node| node.unwound());
        if *this.state == State::Entered && this.region.state().shielded && !unwound {
            report::lost_clean_up("a shielded scope", this.location);
        }
        if let Some(node) = this.region.node.get() {
            frame::end_dropped(node);
        }
    }
}

/// A future running in a cancel scope, from [`CancelScope::run`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Scoped<F> {
    #[pin]
    core: ScopeCore<F>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project()
            .core
            .poll(cx)
            .map_err(|reason| Cancelled::new(Some(reason)))
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("scope", &self.core).finish()
    }
}

impl<F> fmt::Debug for ScopeCore<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeCore")
            .field("region", &self.region)
            .field("state", &self.state)
            .field("alarm", &self.alarm)
            .finish_non_exhaustive()
    }
}
