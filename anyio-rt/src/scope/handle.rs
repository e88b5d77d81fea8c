//! The handle of a cancel scope: what others may do to it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::node::Node;
use super::reason::Reason;
use crate::backend::Env;

/// Controls a cancel scope from inside it, from another task, or from another thread.
///
/// Cheap to clone. Outlives the scope; then it only tells what became of it.
///
/// ```
/// use anyio::{CancelScope, checkpoint};
///
/// # #[anyio::main]
/// # async fn main() {
/// let scope = CancelScope::new();
/// let handle = scope.handle();
/// let elsewhere = handle.clone();
/// std::thread::spawn(move || elsewhere.cancel());
/// assert!(scope.run(anyio::sleep_forever()).await.is_err());
/// assert!(handle.cancel_called() && handle.cancelled_caught());
/// # }
/// ```
#[derive(Clone)]
pub struct ScopeHandle {
    node: Arc<Node>,
}

impl ScopeHandle {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    /// Cancels the scope. Only marks it and wakes what is inside: nobody has reacted when this returns.
    ///
    /// There is no way back, and a second call changes nothing.
    pub fn cancel(&self) {
        self.node.cancel(|| Reason::called(None));
    }

    /// Cancels the scope and says why; the first reason stays.
    pub fn cancel_because(&self, reason: impl Into<Box<str>>) {
        self.node.cancel(|| Reason::called(Some(reason.into())));
    }

    /// When the scope cancels itself; `None` if never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Moves the deadline, or takes it away.
    ///
    /// One in the past cancels the scope at once. A scope that is cancelled stays so.
    ///
    /// ```
    /// use anyio::{current_time, move_on_after, sleep};
    /// use std::time::Duration;
    ///
    /// # #[anyio::main]
    /// # async fn main() {
    /// let done = move_on_after!(1ms, |scope| {
    ///     scope.set_deadline(current_time() + Duration::from_secs(5));
    ///     sleep(Duration::from_millis(3)).await;
    ///     scope.set_deadline(None);
    /// });
    /// assert!(done.is_some());
    /// # }
    /// ```
    pub fn set_deadline(&self, deadline: impl Into<Option<Instant>>) {
        let deadline = deadline.into();
        let past = deadline.is_some_and(|deadline| Env::now().is_ok_and(|now| deadline <= now));
        self.node.set_deadline(deadline);
        if past {
            self.node.cancel(|| Reason::Deadline);
        }
    }

    /// Whether cancellations of the scopes around this one are kept out.
    #[must_use]
    pub fn shield(&self) -> bool {
        self.node.shielded()
    }

    /// Keeps cancellations of the scopes around this one out, or lets them in again: one that is pending
    /// hits the next suspension.
    ///
    /// ```
    /// use anyio::{cancel_scope, checkpoint};
    ///
    /// # #[anyio::main]
    /// # async fn main() {
    /// let mut steps = 0;
    /// let outer = cancel_scope!(|outer| {
    ///     outer.cancel();
    ///     let _ = cancel_scope!(shield = true, |inner| {
    ///         checkpoint().await;
    ///         steps += 1;
    ///         inner.set_shield(false);
    ///         checkpoint().await; // cancelled here
    ///         steps += 1;
    ///     });
    /// });
    /// assert!(outer.is_err());
    /// assert_eq!(steps, 1);
    /// # }
    /// ```
    pub fn set_shield(&self, shield: bool) {
        self.node.set_shield(shield);
    }

    /// Whether the scope was cancelled, by a call or by its deadline, whatever came of it.
    #[must_use]
    pub fn cancel_called(&self) -> bool {
        self.node.cancelled()
    }

    /// Whether the scope was cancelled and that is how it ended.
    ///
    /// Not so if its inside ended before a suspension could be cancelled, or if a scope further out was
    /// cancelled too and took it all.
    #[must_use]
    pub fn cancelled_caught(&self) -> bool {
        self.node.caught()
    }
}

impl fmt::Debug for ScopeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHandle")
            .field("deadline", &self.deadline())
            .field("shield", &self.shield())
            .field("cancel_called", &self.cancel_called())
            .field("cancelled_caught", &self.cancelled_caught())
            .finish()
    }
}
