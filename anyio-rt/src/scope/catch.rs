//! Catching a cancellation, cleaning up, and passing it on.

use std::cell::OnceCell;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project::{pin_project, pinned_drop};

use super::cancelled::Cancelled;
use super::frame::{self, Frame, Region, RegionState};
use super::node::{Kind, Node};
use crate::util::catch::{Payload, catch};
use crate::util::report;

/// Runs `inside`; if it is cancelled by a scope around this call, drops it and lets the code after run on.
///
/// The counterpart of `except CancelledError`. The scope stays cancelled: the next suspension that is not
/// shielded is cancelled again. Use it to learn of a cancellation, then either end without suspending,
/// or clean up in a [`shield`](crate::shield) and pass it on with [`resume_cancelled`].
/// [`finally!`](macro.finally.html) does both.
///
/// # Errors
///
/// [`Cancelled`] if `inside` was cancelled, with the reason of the innermost scope that is.
///
/// # Cancel safety
///
/// Dropping the future from outside (a foreign `select!`, an aborted tokio task) drops `inside` and the
/// code after it does not run.
///
/// ```
/// use anyio::{catch_cancelled, move_on_after, resume_cancelled, sleep_forever};
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut log = Vec::new();
/// let timed_out = move_on_after(Duration::from_millis(1), async {
///     if let Err(cancelled) = catch_cancelled(sleep_forever()).await {
///         log.push(cancelled.to_string());
///         resume_cancelled(cancelled).await;
///     }
///     log.push("never said".to_owned());
/// });
/// assert!(timed_out.await.is_none());
/// assert_eq!(log, ["deadline exceeded"]);
/// # }
/// ```
pub fn catch_cancelled<F: Future>(inside: F) -> CatchCancelled<F> {
    CatchCancelled {
        region: CatchRegion {
            node: OnceCell::new(),
        },
        entered: false,
        inside: Some(inside),
    }
}

/// A future whose cancellation is caught, from [`catch_cancelled`].
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct CatchCancelled<F> {
    region: CatchRegion,
    entered: bool,
    #[pin]
    inside: Option<F>,
}

struct CatchRegion {
    node: OnceCell<Arc<Node>>,
}

impl Region for CatchRegion {
    fn state(&self) -> RegionState {
        RegionState::default()
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| Node::new(Kind::Catcher, false))
    }
}

impl CatchRegion {
    /// Whether the inside is to be dropped: a cancellation reaches it, or passes through it, and nothing
    /// in it holds.
    fn catches(&self) -> bool {
        match self.node.get() {
            Some(node) => node.unwound() || (frame::cancelled() && !node.held()),
            None => frame::cancelled(),
        }
    }
}

impl<F: Future> Future for CatchCancelled<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inside = this.inside.as_mut().as_pin_mut();
        let inside = inside.expect("`catch_cancelled` was polled after it had ended");
        *this.entered = true;
        frame::arrive(this.region.node.get());
        let polled = frame::enter(&Frame::new(this.region), || inside.poll(cx));
        let outcome = match polled {
            Poll::Ready(value) => Ok(value),
            Poll::Pending => {
                if !this.region.catches() {
                    frame::link_if_inside(this.region);
                    let Some(node) = this.region.node.get() else {
                        return Poll::Pending;
                    };
                    node.park(cx.waker());
                    // After parking: a cancellation before it found no waker.
                    if !this.region.catches() {
                        return Poll::Pending;
                    }
                }
                Err(Cancelled::new(frame::top(|top| top?.reason())))
            }
        };
        *this.entered = false;
        this.inside.set(None);
        if let Some(node) = this.region.node.get() {
            node.end(true);
        }
        Poll::Ready(outcome)
    }
}

#[pinned_drop]
impl<F> PinnedDrop for CatchCancelled<F> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(node) = this.region.node.get()
            && *this.entered
        {
            frame::end_dropped(node);
        }
    }
}

impl<F> fmt::Debug for CatchCancelled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchCancelled")
            .field("entered", &self.entered)
            .finish_non_exhaustive()
    }
}

/// How a body ended that must not get away unnoticed.
#[allow(clippy::exhaustive_enums)] // for expansions
pub enum Settled<T> {
    /// It gave this.
    Value(T),
    /// It was cancelled.
    Cancelled(Cancelled),
    /// It panicked with this.
    Panicked(Payload),
}

impl<T> fmt::Debug for Settled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Cancelled(_) => "Cancelled",
            Self::Panicked(_) => "Panicked",
        })
    }
}

/// [`catch_cancelled`] that catches panics too: what `finally!` and `with!` run their bodies in.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Settle<F> {
    #[pin]
    inside: CatchCancelled<F>,
}

/// For `finally!` and `with!`.
pub fn settle<F: Future>(inside: F) -> Settle<F> {
    Settle {
        inside: catch_cancelled(inside),
    }
}

impl<F: Future> Future for Settle<F> {
    type Output = Settled<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match catch(|| this.inside.poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(value))) => Poll::Ready(Settled::Value(value)),
            Ok(Poll::Ready(Err(cancelled))) => Poll::Ready(Settled::Cancelled(cancelled)),
            Err(payload) => Poll::Ready(Settled::Panicked(payload)),
        }
    }
}

/// A clean-up that is still to be done. Dropped before that, it is reported as lost.
#[derive(Debug)]
pub struct Pending {
    /// Where it is due, until it is done.
    due: Option<&'static Location<'static>>,
}

impl Pending {
    /// For `finally!` and `with!`.
    #[track_caller]
    #[must_use]
    #[allow(clippy::new_without_default)] // for expansions
    pub fn new() -> Self {
        Self {
            due: Some(Location::caller()),
        }
    }

    /// It has been done.
    pub fn done(mut self) {
        self.due = None;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(location) = self.due {
            report::lost_clean_up("the clean-up", location);
        }
    }
}

/// Passes a caught cancellation on: never returns, and holds nothing off any more.
///
/// As [`std::panic::resume_unwind`] does for panics. Unlike any other suspension, this one is dropped by
/// the cancelled scope even through a shield that was switched on around it since.
///
/// # Panics
///
/// If no scope around the call is cancelled, so that the cancellation has nowhere to go: the one that was
/// caught belongs to a scope that is over, or to another task.
///
/// ```
/// use anyio::{cancel_scope, catch_cancelled, checkpoint, resume_cancelled, shield};
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut cleaned_up = false;
/// let ended = cancel_scope!(|scope| {
///     scope.cancel();
///     if let Err(cancelled) = catch_cancelled(checkpoint()).await {
///         shield(checkpoint()).await;
///         cleaned_up = true;
///         resume_cancelled(cancelled).await;
///     }
///     unreachable!()
/// });
/// assert!(ended.is_err());
/// assert!(cleaned_up);
/// # }
/// ```
pub fn resume_cancelled(cancelled: Cancelled) -> ResumeCancelled {
    ResumeCancelled {
        cancelled,
        region: UnwindRegion {
            node: OnceCell::new(),
        },
    }
}

/// Waits to be dropped, from [`resume_cancelled`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ResumeCancelled {
    cancelled: Cancelled,
    region: UnwindRegion,
}

struct UnwindRegion {
    node: OnceCell<Arc<Node>>,
}

impl Region for UnwindRegion {
    fn state(&self) -> RegionState {
        RegionState::default()
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| Node::new(Kind::Unwinding, false))
    }
}

impl Future for ResumeCancelled {
    type Output = Infallible;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Infallible> {
        let somewhere = frame::top(|top| top.is_some_and(Frame::cancelled_anywhere));
        assert!(
            somewhere,
            "`resume_cancelled` called where no scope around it is cancelled (what was caught: {})",
            self.cancelled
        );
        frame::link_if_inside(&self.region);
        Poll::Pending
    }
}

impl Drop for ResumeCancelled {
    fn drop(&mut self) {
        if let Some(node) = self.region.node.get() {
            frame::end_dropped(node);
        }
    }
}

impl fmt::Debug for ResumeCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeCancelled")
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}
