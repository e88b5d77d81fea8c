//! Deadlines: when a scope cancels itself.

use std::time::{Duration, Instant};

use super::frame::{self, Frame};

/// When a region cancels itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Deadline {
    #[default]
    Never,
    /// So long after it is entered. Becomes `At` when something has to wait, not before: a body that is
    /// ready at its first poll costs no reading of the clock.
    After(Duration),
    At(Instant),
}

impl From<Option<Instant>> for Deadline {
    fn from(deadline: Option<Instant>) -> Self {
        deadline.map_or(Self::Never, Self::At)
    }
}

/// The earliest time at which the code here will be cancelled, as things are.
///
/// Ordered by urgency: `Cancelled < At(…) < Never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums)] // there is no fourth case
pub enum EffectiveDeadline {
    /// A scope that reaches here is cancelled already: the next suspension is cancelled.
    Cancelled,
    /// The earliest deadline of the scopes that reach here.
    At(Instant),
    /// No scope that reaches here has a deadline.
    Never,
}

impl EffectiveDeadline {
    /// How long there is left at `now`: nothing if cancelled, `None` if there is no limit.
    ///
    /// ```
    /// use anyio::EffectiveDeadline;
    /// use std::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// let deadline = EffectiveDeadline::At(now + Duration::from_secs(2));
    /// assert_eq!(deadline.remaining(now), Some(Duration::from_secs(2)));
    /// assert_eq!(EffectiveDeadline::Cancelled.remaining(now), Some(Duration::ZERO));
    /// assert_eq!(EffectiveDeadline::Never.remaining(now), None);
    /// ```
    #[must_use]
    pub fn remaining(self, now: Instant) -> Option<Duration> {
        match self {
            Self::Cancelled => Some(Duration::ZERO),
            Self::At(deadline) => Some(deadline.saturating_duration_since(now)),
            Self::Never => None,
        }
    }
}

/// The earliest deadline among the cancel scopes that reach the calling code, up to the nearest shield.
///
/// [`EffectiveDeadline::Cancelled`] if one of them is cancelled already, which makes this the way to
/// ask "has my cancellation been requested?" without suspending.
///
/// # Panics
///
/// If a timeout around the call has just been entered and there is no backend whose clock its time could count on.
///
/// ```
/// use anyio::{EffectiveDeadline, current_effective_deadline, move_on_after, shield};
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// assert_eq!(current_effective_deadline(), EffectiveDeadline::Never);
/// let inside = move_on_after(Duration::from_secs(5), async {
///     let shielded = shield(async { current_effective_deadline() }).await;
///     (current_effective_deadline(), shielded)
/// });
/// let Some((EffectiveDeadline::At(_), EffectiveDeadline::Never)) = inside.await else { panic!() };
/// # }
/// ```
#[must_use]
pub fn current_effective_deadline() -> EffectiveDeadline {
    frame::top(|top| top.map_or(EffectiveDeadline::Never, Frame::effective_deadline))
}
