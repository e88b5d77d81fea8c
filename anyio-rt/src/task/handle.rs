//! [`TaskHandle`]: what the starter of a task keeps of it.

#![allow(unsafe_code)] // owns a reference of a child and takes the value out of its slot

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, ready};

use super::child;
use super::header::Header;
use super::shared::Shared;
use super::state::Phase;
use crate::scope::{Gate, Reason};
use crate::util::sync::lock;

/// How a task is doing, from [`TaskHandle::status`]. [`TaskHandle::value`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// Not ended. Also if the whole group is being cancelled.
    Pending,
    /// Cancelled through its handle, and not ended yet.
    Cancelling,
    /// Ended with a value.
    Finished,
    /// Ended by a cancellation.
    Cancelled,
    /// Ended with an error, which went to the group.
    Failed,
    /// Ended with a panic, which goes on at the end of the group.
    Panicked,
}

/// Why there is no value, from [`TaskHandle::join`] and [`TaskHandle::value`], which have examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskError {
    /// The task has not ended yet. Only from [`TaskHandle::value`].
    NotFinished,
    /// The task was cancelled.
    Cancelled,
    /// The task failed. Its error went to the group, which gives it.
    Failed,
    /// The task panicked. The panic goes on at the end of the group.
    Panicked,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinished => "the task has not finished yet",
            Self::Cancelled => "the task was cancelled",
            Self::Failed => "the task failed; its error is the group's",
            Self::Panicked => "the task panicked",
        })
    }
}

impl Error for TaskError {}

/// The handle of one task in a group.
///
/// Awaiting it gives the value. It does not own the task: dropping it changes nothing, the group waits for
/// the task all the same. It cannot leave the group.
///
/// # Cancel safety
///
/// Awaiting is a checkpoint. If the wait is cancelled, nothing happens to the task.
///
/// # Panics
///
/// Awaiting it by value panics if the task ended without a value and nothing else would end the wait: it
/// was cancelled alone, or the wait is shielded. (Normally the group is cancelled when a task fails, and
/// the wait with it.) [`join`](Self::join) tells instead of panicking.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let words = ["a", "list", "of", "words"];
/// let total = anyio::task_group!(|tg| {
///     let lengths = words.map(|word| tg.spawn(async move { word.len() }));
///     let mut total = 0;
///     for length in lengths {
///         total += length.await;
///     }
///     total
/// });
/// assert_eq!(total, 12);
/// # }
/// ```
pub struct TaskHandle<'scope, V> {
    child: NonNull<Header>,
    waiting: Waiting,
    /// Whether the value has been taken out of the slot.
    taken: bool,
    marker: PhantomData<(&'scope (), V)>,
}

// SAFETY: a handle is a reference of a child, whose state is atomic, and the right to take (or drop) its
// value: `V` has to be `Send`.
unsafe impl<V: Send> Send for TaskHandle<'_, V> {}
// SAFETY: through a shared handle a value can be looked at.
unsafe impl<V: Sync> Sync for TaskHandle<'_, V> {}

impl<'scope, V> TaskHandle<'scope, V> {
    /// # Safety
    ///
    /// `child` leaves a value of type `V`, and its state says that it has a handle: this one. The values of its group live at least as long as the handle's lifetime.
    pub(super) unsafe fn new(child: NonNull<Header>) -> Self {
        Self {
            child,
            waiting: Waiting::default(),
            taken: false,
            marker: PhantomData,
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: alive by the handle.
        unsafe { self.child.as_ref() }
    }

    /// Names the task. Without it, the name is that of the function that made the future.
    pub fn named(self, name: &str) -> Self {
        self.header().set_name(name);
        self
    }

    /// The name of the task.
    #[must_use]
    pub fn name(&self) -> String {
        self.header().task_name().to_string()
    }

    /// The number of the task, which no other task in this process has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.header().id()
    }

    /// Where the task was started.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.header().location()
    }

    /// How the task is doing.
    #[must_use]
    pub fn status(&self) -> TaskState {
        let seen = self.header().state.look();
        match seen.settled() {
            None if seen.cancel() => TaskState::Cancelling,
            None => TaskState::Pending,
            Some(Phase::Value) => TaskState::Finished,
            Some(Phase::Cancelled) => TaskState::Cancelled,
            Some(Phase::Failed) => TaskState::Failed,
            Some(Phase::Panicked) => TaskState::Panicked,
        }
    }

    /// Whether the task has ended, however it did.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.header().state.look().settled().is_some()
    }

    /// Cancels this task alone; the group and its siblings are not touched.
    ///
    /// It takes effect at the next suspension that is not shielded, of a task that has not run yet at its
    /// first. A task that ends before, or that catches the cancellation and gives a value, is finished.
    pub fn cancel(&self) {
        let header = self.header();
        if header.state.look().ended() {
            return;
        }
        header.set_reason(Reason::called(None));
        header.state.cancel();
        header.alert();
        if !header.vtable().parallel {
            // SAFETY: alive by the handle.
            unsafe { Shared::wake(self.child) };
        }
    }

    /// Waits until the task has ended, however it did. Any number of tasks may wait, any number of times.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            header: self.header(),
            waiting: Waiting::default(),
        }
    }

    /// A look at the value.
    ///
    /// # Errors
    ///
    /// [`TaskError`] if there is none, or none yet.
    ///
    /// # Panics
    ///
    /// If the handle was awaited through a reference and has given its value away.
    ///
    /// ```
    /// use anyio::{TaskError, TaskState, task_group};
    ///
    /// # #[anyio::main]
    /// # async fn main() {
    /// task_group!(|tg| {
    ///     let task = tg.spawn(async { 5 });
    ///     assert_eq!(task.value(), Err(TaskError::NotFinished));
    ///     task.wait().await;
    ///     assert_eq!(task.status(), TaskState::Finished);
    ///     assert_eq!(task.value(), Ok(&5));
    /// });
    /// # }
    /// ```
    pub fn value(&self) -> Result<&V, TaskError> {
        assert!(
            !self.taken,
            "a task handle was asked for its value after it had given its value"
        );
        let seen = self.header().state.look();
        match seen.settled() {
            None if seen.cancel() => Err(TaskError::Cancelled),
            None => Err(TaskError::NotFinished),
            // SAFETY: the value was written before the phase, and is still there: it is taken out only
            // through this handle, which then says `taken`, and never while this borrow lasts.
            Some(Phase::Value) => Ok(unsafe { child::slot::<V>(self.child).as_ref() }),
            Some(phase) => Err(phase.into()),
        }
    }

    /// Waits for the task and gives its value, or says why there is none.
    ///
    /// # Errors
    ///
    /// [`TaskError`] if the task was cancelled, failed or panicked.
    ///
    /// # Cancel safety
    ///
    /// If the wait is cancelled, nothing happens to the task; its value is dropped when it ends.
    ///
    /// ```
    /// use anyio::{TaskError, task_group};
    ///
    /// # #[anyio::main]
    /// # async fn main() {
    /// task_group!(|tg| {
    ///     let stuck = tg.spawn(anyio::sleep_forever());
    ///     stuck.cancel();
    ///     assert_eq!(stuck.join().await, Err(TaskError::Cancelled));
    /// });
    /// # }
    /// ```
    pub fn join(self) -> Join<'scope, V> {
        Join { handle: self }
    }

    /// Ready when the task has ended.
    pub(crate) fn poll_settled(&self, waiting: &mut Waiting, cx: &mut Context<'_>) -> Poll<()> {
        waiting.poll(self.header(), cx).map(drop)
    }

    /// No longer waits.
    pub(crate) fn stop_waiting(&self, waiting: &mut Waiting) {
        waiting.stop(self.header());
    }

    /// Ready when the task has ended: with its value, once, or with why there is none.
    fn poll_outcome(&mut self, cx: &Context<'_>) -> Poll<Result<V, TaskError>> {
        assert!(
            !self.taken,
            "a task handle was polled after it had given its value"
        );
        // SAFETY: alive by the handle, which it keeps as long as it lives.
        let header = unsafe { self.child.as_ref() };
        Poll::Ready(match ready!(self.waiting.poll(header, cx)) {
            Phase::Value => {
                self.taken = true;
                // SAFETY: the value is in the slot; it is the handle's, and with `taken` nobody takes or
                // drops it again.
                Ok(unsafe { child::slot::<V>(self.child).read() })
            }
            phase => {
                if phase == Phase::Cancelled {
                    // Whoever is cancelled together with the task is cancelled, and not told of the task.
                    ready!(self.waiting.gate.poll_cancelled());
                }
                Err(phase.into())
            }
        })
    }
}

impl From<Phase> for TaskError {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Value => unreachable!("there is a value"),
            Phase::Cancelled => Self::Cancelled,
            Phase::Failed => Self::Failed,
            Phase::Panicked => Self::Panicked,
        }
    }
}

/// Gives the value; see [`TaskHandle`].
impl<V> Future for TaskHandle<'_, V> {
    type Output = V;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V> {
        Poll::Ready(match ready!(self.poll_outcome(cx)) {
            Ok(value) => value,
            Err(error) => {
                // The failure of a task cancels its group, and with it this wait.
                ready!(self.waiting.gate.poll_cancelled());
                panic!(
                    "there is no value to await: task `{}`: {error}; use `join()` to be told instead",
                    self.name()
                )
            }
        })
    }
}

// Nothing in a handle is pinned: the value is in the child's slot.
impl<V> Unpin for TaskHandle<'_, V> {}

impl<V> Drop for TaskHandle<'_, V> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: alive by the handle, which is given up last.
        let header = unsafe { self.child.as_ref() };
        self.waiting.stop(header);
        if !self.taken && header.drop_handle_inside() {
            return;
        }
        let last = header.state.drop_handle(|| {
            if !self.taken {
                // SAFETY: the value is in the slot, and the handle's (state.rs, invariant 3).
                unsafe { (header.vtable().drop_value)(self.child) };
            }
        });
        if last {
            // SAFETY: the state has just said so.
            unsafe { Header::free(self.child) };
        }
    }
}

impl<V> fmt::Debug for TaskHandle<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("status", &self.status())
            .field("location", &format_args!("{}", self.location()))
            .finish()
    }
}

/// Gives the value of a task or says why there is none, from [`TaskHandle::join`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<'scope, V> {
    handle: TaskHandle<'scope, V>,
}

impl<V> Future for Join<'_, V> {
    type Output = Result<V, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.handle.poll_outcome(cx)
    }
}

impl<V> fmt::Debug for Join<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.handle).finish()
    }
}

/// Waits for the end of a task, from [`TaskHandle::wait`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Wait<'a> {
    header: &'a Header,
    waiting: Waiting,
}

// SAFETY: what a wait touches of the child is atomic or behind a lock: its state, its id and its waiters. The
// same is done through a handle, on whatever thread.
unsafe impl Send for Wait<'_> {}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let header = self.header;
        self.waiting.poll(header, cx).map(drop)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.waiting.stop(self.header);
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("task", &self.header.id())
            .finish_non_exhaustive()
    }
}

/// One wait for the end of a child.
#[derive(Default)]
pub(crate) struct Waiting {
    gate: Gate,
    /// Our place among the waiters of the child.
    key: Option<usize>,
}

impl Waiting {
    /// A wait that is no checkpoint of its own.
    pub(crate) fn passed() -> Self {
        Self {
            gate: Gate::passed(),
            key: None,
        }
    }

    fn poll(&mut self, header: &Header, cx: &Context<'_>) -> Poll<Phase> {
        ready!(self.gate.poll(cx));
        if let Some(phase) = header.state.look().settled() {
            return Poll::Ready(phase);
        }
        let extra = header.make_extra();
        {
            let mut waiters = lock(&extra.waiters);
            match self.key.and_then(|key| waiters.get_mut(key)) {
                Some(waker) => waker.clone_from(cx.waker()),
                None => self.key = Some(waiters.insert(cx.waker().clone())),
            }
        }
        // Registered first: if the child ends before this, we see it; if after, it sees us.
        match header.state.set_waited().settled() {
            Some(phase) => Poll::Ready(phase),
            None => Poll::Pending,
        }
    }

    #[inline]
    fn stop(&mut self, header: &Header) {
        if let Some(key) = self.key.take() {
            Self::forget(header, key);
        }
    }

    #[cold]
    fn forget(header: &Header, key: usize) {
        if let Some(extra) = header.extra()
            && !header.state.look().dead()
        {
            lock(&extra.waiters).try_remove(key);
        }
    }
}
