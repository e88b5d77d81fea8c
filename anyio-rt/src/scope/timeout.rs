//! Timeouts: cancel scopes with a deadline, as functions.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project::pin_project;

use super::cancel_scope::{CancelScope, ScopeCore};
use super::deadline::Deadline;
use super::reason::Reason;

/// Runs `inside` for at most `delay`; `None` if it took longer and was cancelled.
///
/// A delay of zero cancels the first suspension, so it gives what is ready at once.
/// [`move_on_after!`](macro.move_on_after.html) is the same for a block of the surrounding function.
///
/// # Cancel safety
///
/// Dropping the future drops `inside` where it stands, shields or not.
///
/// # Panics
///
/// At the first suspension, if there is no backend to wait for the deadline.
///
/// ```
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// assert_eq!(anyio::move_on_after(Duration::from_secs(1), async { 5 }).await, Some(5));
/// assert_eq!(anyio::move_on_after(Duration::from_millis(1), anyio::sleep_forever()).await, None);
/// # }
/// ```
#[track_caller]
pub fn move_on_after<F: Future>(delay: Duration, inside: F) -> MoveOn<F> {
    MoveOn::new(CancelScope::with_deadline(Deadline::After(delay)), inside)
}

/// Runs `inside` until `deadline`; `None` if it was not done by then and was cancelled.
///
/// As [`move_on_after`], with a time instead of a delay; one in the past cancels the first suspension.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let now = anyio::current_time();
/// assert_eq!(anyio::move_on_at(now, async { 5 }).await, Some(5)); // ready at once
/// assert_eq!(anyio::move_on_at(now, anyio::checkpoint()).await, None);
/// # }
/// ```
#[track_caller]
pub fn move_on_at<F: Future>(deadline: Instant, inside: F) -> MoveOn<F> {
    MoveOn::new(CancelScope::with_deadline(Deadline::At(deadline)), inside)
}

/// Runs `inside` for at most `delay`; a [`TimeoutError`] if it took longer and was cancelled.
///
/// [`fail_after!`](macro.fail_after.html) is the same for a block of the surrounding function.
///
/// # Errors
///
/// [`TimeoutError`] if `inside` was cancelled by the deadline.
///
/// # Cancel safety
///
/// Dropping the future drops `inside` where it stands, shields or not.
///
/// # Panics
///
/// At the first suspension, if there is no backend to wait for the deadline.
///
/// ```
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// let answer = anyio::fail_after(Duration::from_millis(1), anyio::sleep_forever()).await;
/// assert_eq!(answer.unwrap_err().to_string(), "deadline exceeded");
/// # }
/// ```
#[track_caller]
pub fn fail_after<F: Future>(delay: Duration, inside: F) -> FailAfter<F> {
    FailAfter::new(
        CancelScope::with_deadline(Deadline::After(delay)),
        None,
        inside,
    )
}

/// Runs `inside` until `deadline`; a [`TimeoutError`] if it was not done by then and was cancelled.
///
/// As [`fail_after`], with a time instead of a delay; one in the past cancels the first suspension.
///
/// # Errors
///
/// [`TimeoutError`] if `inside` was cancelled by the deadline.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let now = anyio::current_time();
/// assert!(anyio::fail_at(now, anyio::checkpoint()).await.unwrap_err().is_deadline());
/// # }
/// ```
#[track_caller]
pub fn fail_at<F: Future>(deadline: Instant, inside: F) -> FailAfter<F> {
    FailAfter::new(
        CancelScope::with_deadline(Deadline::At(deadline)),
        None,
        inside,
    )
}

/// A future under a time limit that gives `None` when it runs out, from [`move_on_after`].
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct MoveOn<F> {
    #[pin]
    core: ScopeCore<F>,
}

impl<F: Future> MoveOn<F> {
    #[track_caller]
    pub(crate) fn new(scope: CancelScope, inside: F) -> Self {
        Self {
            core: ScopeCore::new(scope, inside),
        }
    }
}

impl<F: Future> Future for MoveOn<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().core.poll(cx).map(Result::ok)
    }
}

/// A future under a time limit that fails when it runs out, from [`fail_after`].
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct FailAfter<F> {
    #[pin]
    core: ScopeCore<F>,
    text: Option<Box<str>>,
}

impl<F: Future> FailAfter<F> {
    #[track_caller]
    pub(crate) fn new(scope: CancelScope, text: Option<Box<str>>, inside: F) -> Self {
        Self {
            core: ScopeCore::new(scope, inside),
            text,
        }
    }
}

impl<F: Future> Future for FailAfter<F> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.core.poll(cx).map_err(|reason| TimeoutError {
            text: this.text.take(),
            reason,
        })
    }
}

/// What ran under a time limit was cancelled.
///
/// Normally by the deadline. If the limit was a [`fail_after!`](macro.fail_after.html) whose scope somebody
/// cancelled by hand, [`is_deadline`](Self::is_deadline) says so.
///
/// ```
/// use anyio::{fail_after, sleep_forever};
///
/// # #[anyio::main]
/// # async fn main() {
/// let late = fail_after!(reason = "no answer", 1ms, { sleep_forever().await }).unwrap_err();
/// assert!(late.is_deadline());
/// assert_eq!(late.reason(), Some("no answer"));
///
/// let stopped = fail_after!(5s, |scope| {
///     scope.cancel_because("stopped");
///     sleep_forever().await
/// });
/// assert!(!stopped.unwrap_err().is_deadline());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TimeoutError {
    text: Option<Box<str>>,
    reason: Reason,
}

impl TimeoutError {
    /// Whether time ran out, rather than somebody cancelling the scope before.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        self.reason.is_deadline()
    }

    /// The text given as `reason = "…"`, or with the call that cancelled the scope.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        if self.is_deadline() {
            self.text.as_deref()
        } else {
            self.reason.text()
        }
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)?;
        match &self.text {
            Some(text) if self.is_deadline() => write!(f, ": {text}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl Error for TimeoutError {}

/// So that `?` works in functions that return `io::Result`.
impl From<TimeoutError> for std::io::Error {
    fn from(error: TimeoutError) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, error)
    }
}
