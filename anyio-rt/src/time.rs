//! Time, on the clock of the backend.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project::pin_project;

use crate::backend::{Env, NoBackendError, Timer};
use crate::scope::Gate;

/// Sleeps for at least `delay`. Lets others run at least once, also for a delay of zero.
///
/// The time counts from the first poll. A delay beyond what the clock can say never ends.
///
/// # Panics
///
/// When it is polled, if there is no backend.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let before = anyio::current_time();
/// anyio::sleep(std::time::Duration::from_millis(2)).await;
/// assert!(anyio::current_time() >= before + std::time::Duration::from_millis(2));
/// # }
/// ```
pub fn sleep(delay: Duration) -> Sleep {
    Sleep::new(Until::After(delay))
}

/// Sleeps until `deadline`, a time on the backend's clock. Lets others run at least once, also if that has
/// passed.
///
/// # Panics
///
/// When it is polled, if there is no backend.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let deadline = anyio::current_time() + std::time::Duration::from_millis(1);
/// anyio::sleep_until(deadline).await;
/// assert!(anyio::current_time() >= deadline);
/// # }
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(Until::At(deadline))
}

/// Sleeps until it is cancelled, and never goes on.
///
/// Needs no backend. Where a value of another type is wanted of something that never ends, use
/// [`std::future::pending`].
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// assert!(anyio::move_on_after!(1ms, { anyio::sleep_forever().await }).is_none());
/// # }
/// ```
pub fn sleep_forever() -> SleepForever {
    SleepForever {
        gate: Gate::default(),
    }
}

/// The time on the backend's clock, which the timers go by. A test may have stopped it.
///
/// # Panics
///
/// If there is no backend; see [`try_current_time`].
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let before = anyio::current_time();
/// anyio::checkpoint().await;
/// assert!(anyio::current_time() >= before);
/// # }
/// ```
#[must_use]
#[track_caller]
pub fn current_time() -> Instant {
    match Env::now() {
        Ok(now) => now,
        Err(error) => panic!("{error}"),
    }
}

/// The time on the backend's clock, if there is a backend.
///
/// # Errors
///
/// [`NoBackendError`] if there is none.
///
/// ```
/// assert!(anyio::try_current_time().is_err()); // in a plain `main`
/// # anyio::run(anyio::Backend::default(), async {
/// assert!(anyio::try_current_time().is_ok());  // in `anyio::run`
/// # })?;
/// # Ok::<(), anyio::RunError>(())
/// ```
pub fn try_current_time() -> Result<Instant, NoBackendError> {
    Env::now()
}

#[derive(Clone, Copy, Debug)]
enum Until {
    After(Duration),
    At(Instant),
    Never,
}

/// From [`sleep`] and [`sleep_until`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    until: Until,
    gate: Gate,
    state: State,
    #[pin]
    timer: Option<Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    /// The time has come, but others have not had their turn yet.
    Yielded,
    Waiting,
}

impl Sleep {
    fn new(until: Until) -> Self {
        Self {
            until,
            gate: Gate::default(),
            state: State::New,
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if *this.state == State::New {
            ready!(this.gate.poll_cancelled());
            let now =
                Env::now().unwrap_or_else(|error| panic!("`sleep` needs a timer, but {error}"));
            let deadline = match *this.until {
                Until::After(delay) => now.checked_add(delay),
                Until::At(deadline) => Some(deadline),
                Until::Never => None,
            };
            match deadline {
                None => {
                    *this.until = Until::Never;
                    return Poll::Pending;
                }
                Some(deadline) if deadline <= now => {
                    *this.state = State::Yielded;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(deadline) => {
                    *this.state = State::Waiting;
                    let timer = Timer::at(deadline).expect("there was a backend just now");
                    this.timer.set(Some(timer));
                }
            }
        }
        match this.timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx),
            // Others had their turn; is the cancellation they may have asked for on its way?
            None => this.gate.poll_cancelled(),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("until", &self.until)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// From [`sleep_forever`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SleepForever {
    gate: Gate,
}

impl Future for SleepForever {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.gate.poll_cancelled() {
            Poll::Ready(()) | Poll::Pending => Poll::Pending,
        }
    }
}
