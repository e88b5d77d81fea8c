//! Calling blocking code from async code.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use pin_project::pin_project;

use crate::backend::Env;
use crate::scope::{Gate, Shielded, shield};
use crate::util::catch::{Payload, catch};
use crate::util::sync::lock;

/// Runs `f` on a thread of the backend's blocking pool and gives what it gave.
///
/// A thread cannot be stopped from outside. So a cancelled caller waits until `f` is done, gets its value,
/// and is cancelled at its next suspension; with [`abandon_on_cancel`](RunSync::abandon_on_cancel) it is
/// released at once and `f` runs on by itself. A caller that is cancelled before does not start `f`.
///
/// # Cancel safety
///
/// Dropped from outside, the call leaves `f` to run to its end; its value is dropped.
///
/// # Panics
///
/// If `f` does, if there is no backend, or if the backend shuts down before `f` has run.
///
/// ```
/// use anyio::to_thread;
///
/// # #[anyio::main]
/// # async fn main() {
/// let sum = to_thread::run_sync(|| (1..=100).sum::<u32>()).await;
/// assert_eq!(sum, 5050);
/// # }
/// ```
pub fn run_sync<T, F>(f: F) -> RunSync<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    RunSync {
        f: Some(f),
        abandon: false,
        gate: Gate::default(),
        wait: None,
    }
}

/// A call on another thread, from [`run_sync`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct RunSync<T, F> {
    /// Until the call is made.
    f: Option<F>,
    abandon: bool,
    gate: Gate,
    #[pin]
    wait: Option<Wait<T>>,
}

#[pin_project(project = WaitProj)]
enum Wait<T> {
    Shielded(#[pin] Shielded<Receive<T>>),
    Abandoned(#[pin] Receive<T>),
}

impl<T, F> RunSync<T, F> {
    /// Whether a cancelled caller leaves the thread alone instead of waiting for it.
    pub fn abandon_on_cancel(mut self, abandon: bool) -> Self {
        self.abandon = abandon;
        self
    }
}

impl<T, F> Future for RunSync<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        ready!(this.gate.poll(cx));
        if let Some(f) = this.f.take() {
            let env = Env::current().unwrap_or_else(|error| {
                panic!("`to_thread::run_sync` needs a thread, but {error}")
            });
            let shared = Arc::new(Shared {
                state: Mutex::new(State {
                    outcome: None,
                    waker: None,
                }),
            });
            let answer = Answer {
                shared: Arc::clone(&shared),
            };
            env.spawn_blocking(move || answer.run(f));
            let receive = Receive { shared };
            this.wait.set(Some(if *this.abandon {
                Wait::Abandoned(receive)
            } else {
                Wait::Shielded(shield(receive))
            }));
        }
        let wait = this
            .wait
            .as_pin_mut()
            .expect("`run_sync` was polled after it had ended");
        let outcome = match wait.project() {
            WaitProj::Shielded(receive) => receive.poll(cx),
            WaitProj::Abandoned(receive) => receive.poll(cx),
        };
        match ready!(outcome) {
            Outcome::Value(value) => Poll::Ready(value),
            Outcome::Panicked(payload) => resume_unwind(payload),
            Outcome::Lost => panic!("the backend shut down before the blocking call had run"),
        }
    }
}

impl<T, F> fmt::Debug for RunSync<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSync")
            .field("called", &self.wait.is_some())
            .field("abandon_on_cancel", &self.abandon)
            .finish_non_exhaustive()
    }
}

/// What caller and thread share.
struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    outcome: Option<Outcome<T>>,
    waker: Option<Waker>,
}

enum Outcome<T> {
    Value(T),
    Panicked(Payload),
    Lost,
}

/// The thread's side. Dropped without an answer, it says so.
struct Answer<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Answer<T> {
    fn run(self, f: impl FnOnce() -> T) {
        let outcome = match catch(f) {
            Ok(value) => Outcome::Value(value),
            Err(payload) => Outcome::Panicked(payload),
        };
        self.give(outcome);
    }

    fn give(&self, outcome: Outcome<T>) {
        let waker = {
            let mut state = lock(&self.shared.state);
            if state.outcome.is_none() {
                state.outcome = Some(outcome);
            }
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.give(Outcome::Lost);
    }
}

/// The caller's side.
struct Receive<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Future for Receive<T> {
    type Output = Outcome<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let mut state = lock(&self.shared.state);
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
