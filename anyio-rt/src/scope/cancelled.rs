//! The value that says "this was cancelled".

use std::error::Error;
use std::fmt;

use super::reason::Reason;

/// A scope was cancelled and what was inside it is gone.
///
/// Its text says who cancelled and why, as far as was said; a deadline says so.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let cancelled = anyio::cancel_scope!(|scope| {
///     scope.cancel_because("the user left");
///     anyio::sleep_forever().await
/// });
/// let cancelled = cancelled.unwrap_err();
/// assert_eq!(cancelled.reason(), Some("the user left"));
/// assert!(!cancelled.is_deadline());
/// assert!(cancelled.to_string().ends_with(": the user left"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cancelled {
    reason: Option<Reason>,
}

impl Cancelled {
    pub(crate) const fn new(reason: Option<Reason>) -> Self {
        Self { reason }
    }

    /// The text given to [`ScopeHandle::cancel_because`](crate::ScopeHandle::cancel_because), if any.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_ref()?.text()
    }

    /// Whether it was a deadline that passed, rather than a call.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        self.reason.as_ref().is_some_and(Reason::is_deadline)
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => fmt::Display::fmt(reason, f),
            None => f.write_str("cancelled"),
        }
    }
}

impl Error for Cancelled {}
