//! Starting a task and waiting until it says that it has started.
//!
//! Until then the child is polled by the [`Start`] future itself, so it lives in the starter's scopes, and
//! cancelling the starter cancels it. When it reports, it is handed to the group's driver.

#![allow(unsafe_code)] // polls a child before the driver does

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::child;
use super::handle::TaskHandle;
use super::header::{Header, Step};
use super::mode::Mode;
use super::shared::Shared;
use super::state::{Phase, State};
use crate::scope::Gate;
use crate::scope::frame::{self, Frame};
use crate::util::sync::lock;

/// Says that a task has started; see [`Spawner::start`](crate::Spawner::start).
///
/// ```
/// use anyio::{TaskStatus, task_group};
///
/// async fn service(status: TaskStatus) {
///     status.started(());
///     // Serve, until cancelled.
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// task_group!(|tg| {
///     tg.start(service).await.unwrap();
///     tg.spawn(service(TaskStatus::ignored())); // nobody waits for this one
/// });
/// # }
/// ```
pub struct TaskStatus<R = ()> {
    report: Option<Arc<Report<R>>>,
}

struct Report<R> {
    state: Mutex<ReportState<R>>,
}

struct ReportState<R> {
    value: Option<R>,
    /// The starter, while it waits and is not polling the task itself.
    starter: Option<Waker>,
}

impl<R> TaskStatus<R> {
    /// A status that nobody waits for, to run the same function without `start`.
    #[must_use]
    pub const fn ignored() -> Self {
        Self { report: None }
    }

    /// Reports that the task has started, with a value for the starter.
    ///
    /// A starter that has been cancelled ignores it.
    pub fn started(self, value: R) {
        let Some(report) = self.report else { return };
        let starter = {
            let mut state = lock(&report.state);
            state.value = Some(value);
            state.starter.take()
        };
        if let Some(starter) = starter {
            starter.wake();
        }
    }
}

impl<R> fmt::Debug for TaskStatus<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStatus")
            .field("ignored", &self.report.is_none())
            .finish_non_exhaustive()
    }
}

/// Why a task did not start: it ended before it said so.
///
/// ```
/// use anyio::{StartError, TaskStatus, task_group};
///
/// async fn connect(_: TaskStatus) -> Result<(), &'static str> {
///     Err("no route to host")
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let result = task_group!(|tg| -> Result<(), &'static str> {
///     let error = tg.start(connect).await.unwrap_err();
///     assert_eq!(error, StartError::Failed("no route to host"));
///     Ok(())
/// });
/// assert_eq!(result, Ok(())); // the group has not failed
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // there is no third way to end without a panic
pub enum StartError<V, E> {
    /// It ended with a value, which is in here.
    Exited(V),
    /// It failed. The group is not touched; the error is in here and nowhere else.
    Failed(E),
}

impl<V, E> StartError<V, E> {
    /// The error that the task failed with, if it did.
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Exited(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl<V, E: fmt::Display> fmt::Display for StartError<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(_) => f.write_str("the task ended without having called `started`"),
            Self::Failed(error) => write!(f, "the task failed before it had started: {error}"),
        }
    }
}

impl<V: fmt::Debug, E: fmt::Debug + fmt::Display> Error for StartError<V, E> {}

/// Runs a task until it has started, from [`Spawner::start`](crate::Spawner::start).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Start<'scope, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    shared: &'scope Arc<Shared>,
    /// The child, with the driver's reference and the handle, until it is handed on.
    child: Option<NonNull<Header>>,
    report: Arc<Report<R>>,
    /// Once the task has ended and there is nothing to give, since the starter is cancelled.
    refused: Option<Gate>,
    future: PhantomData<(F, M::Value, M::Error)>,
}

// SAFETY: a reference of a child that holds an `F` and nobody else has, beside what is `Send` by itself.
unsafe impl<R: Send, F: Future + Send, M: Mode<F::Output>> Send for Start<'_, R, F, M>
where
    M::Value: Send,
    M::Error: Send,
{
}

impl<'scope, R, F, M> Start<'scope, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    pub(super) fn new(
        shared: &'scope Arc<Shared>,
        make: impl FnOnce(TaskStatus<R>) -> F,
        location: &'static Location<'static>,
    ) -> Self {
        let report = Arc::new(Report {
            state: Mutex::new(ReportState {
                value: None,
                starter: None,
            }),
        });
        let future = make(TaskStatus {
            report: Some(Arc::clone(&report)),
        });
        let child = child::new::<F, M>(future, shared, State::idle_with_handle(1), location);
        Self {
            shared,
            child: Some(child),
            report,
            refused: None,
            future: PhantomData,
        }
    }

    /// Names the task. Without it, the name is that of the function that made the future.
    pub fn named(self, name: &str) -> Self {
        if let Some(child) = &self.child {
            // SAFETY: alive by our reference.
            unsafe { child.as_ref() }.set_name(name);
        }
        self
    }
}

// Nothing in it is pinned: the task is in its own memory.
impl<R, F, M> Unpin for Start<'_, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
}

impl<'scope, R, F, M> Future for Start<'scope, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    type Output = Result<(R, TaskHandle<'scope, M::Value>), StartError<M::Value, M::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(gate) = &mut self.refused {
            // Something beside this call still holds, so it is polled on.
            let refused = gate.poll_cancelled();
            debug_assert!(refused.is_pending(), "a refusal is final");
            return Poll::Pending;
        }
        let child = self.child.expect("`start` was polled after it had ended");
        // SAFETY: alive by our reference.
        let header = unsafe { child.as_ref() };
        lock(&self.report.state).starter = None;
        let starter = frame::top(|top| top.and_then(|top| Some(top.task()?.id())));
        header
            .make_extra()
            .starter
            .store(starter.unwrap_or(0), Ordering::Relaxed);

        frame::arrive(header.node());
        let poll = header.vtable().poll;
        // SAFETY: the future is in the slot until it has ended, and then `child` is taken.
        let step = frame::enter(&Frame::new(header), || unsafe { poll(child, cx) });

        let started = {
            let mut state = lock(&self.report.state);
            // A starter that is cancelled no longer hears of it.
            let started = if frame::cancelled() {
                None
            } else {
                state.value.take()
            };
            if started.is_none() {
                state.starter = Some(cx.waker().clone());
            }
            started
        };
        let phase = match (step, started) {
            (Step::Pending, None) => {
                if let Some(node) = header.node() {
                    frame::link(node);
                    node.park(cx.waker());
                }
                return Poll::Pending;
            }
            (step, Some(value)) => {
                self.child = None;
                header.make_extra().starter.store(0, Ordering::Relaxed);
                if !matches!(step, Step::Pending)
                    && let Some(node) = header.node()
                {
                    frame::end_dropped(node);
                }
                match step {
                    Step::Pending => {}
                    Step::Value => drop(header.state.finish_elsewhere(Phase::Value)),
                    Step::Failed => drop(header.state.finish_elsewhere(Phase::Failed)),
                    Step::Panicked(payload) => {
                        *lock(&header.make_extra().payload) = Some(payload);
                        header.state.finish_elsewhere(Phase::Panicked);
                    }
                }
                let queued = header.state.queue();
                debug_assert!(queued, "in no queue while it was ours");
                // SAFETY: made for this group; the reference goes to the driver, the handle to the caller.
                return Poll::Ready(Ok(unsafe {
                    self.shared.insert(child);
                    (value, TaskHandle::new(child))
                }));
            }
            (step, None) => step,
        };
        self.child = None;
        // SAFETY: reference and handle are ours, and the slot is as the step says: read it, then free it.
        unsafe {
            let ended = match phase {
                Step::Pending => unreachable!("dealt with above"),
                Step::Value => Ok(StartError::Exited(child::slot::<M::Value>(child).read())),
                Step::Failed => Ok(StartError::Failed(child::slot::<M::Error>(child).read())),
                Step::Panicked(payload) => Err(payload),
            };
            let was_cancelled = frame::cancelled();
            free(child);
            match ended {
                // The value of a task whose starter is cancelled is dropped with the call.
                Ok(StartError::Exited(_)) if was_cancelled => {
                    let mut gate = Gate::default();
                    let refused = gate.poll_cancelled();
                    debug_assert!(refused.is_pending(), "cancelled just now");
                    self.refused = Some(gate);
                    Poll::Pending
                }
                Ok(error) => Poll::Ready(Err(error)),
                Err(payload) => resume_unwind(payload),
            }
        }
    }
}

/// Ends a child that never got to the group. Its slot is empty.
///
/// # Safety
///
/// The driver's reference and the handle are given up.
unsafe fn free(child: NonNull<Header>) {
    // SAFETY: alive by the reference, which `let_go` gives up; the handle goes before it.
    unsafe {
        if let Some(node) = child.as_ref().node() {
            frame::end_dropped(node);
        }
        child.as_ref().state.drop_handle(|| ());
        Shared::let_go(child, Phase::Cancelled);
    }
}

impl<R, F, M> Drop for Start<'_, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    fn drop(&mut self) {
        let Some(child) = self.child.take() else {
            return;
        };
        // SAFETY: not ended, so the future is in the slot; reference and handle are ours.
        let panicked = unsafe {
            let panicked = (child.as_ref().vtable().drop_future)(child);
            free(child);
            panicked
        };
        if let Some(payload) = panicked
            && !std::thread::panicking()
        {
            resume_unwind(payload);
        }
    }
}

impl<R, F, M> fmt::Debug for Start<'_, R, F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("waiting", &self.child.is_some())
            .finish_non_exhaustive()
    }
}
