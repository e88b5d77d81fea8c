//! [`Spawner`]: the handle that starts tasks in a group.

#![allow(unsafe_code)] // hands new children over to `shared.rs`

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use super::child;
use super::group::{Carrier, Local, Threaded};
use super::handle::TaskHandle;
use super::mode::{Mode, Plain};
use super::parallel;
use super::shared::Shared;
use super::start::{Start, TaskStatus};
use super::state::State;

/// Starts tasks in a group: the part of a [`TaskGroup`](crate::TaskGroup) that does not mention what the
/// group gives. From [`TaskGroup::spawner`](crate::TaskGroup::spawner).
///
/// ```
/// use anyio::{Spawner, task_group};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// fn count_up<'scope>(tasks: Spawner<'scope>, counter: &'scope AtomicU32) {
///     for _ in 0..3 {
///         tasks.spawn(async { counter.fetch_add(1, Ordering::Relaxed) });
///     }
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let counter = AtomicU32::new(0);
/// task_group!(|tg| count_up(tg.spawner(), &counter));
/// assert_eq!(counter.into_inner(), 3);
/// # }
/// ```
pub struct Spawner<'scope, M = Plain, S = Threaded> {
    shared: &'scope Arc<Shared>,
    // Invariant in `'scope`: a longer or shorter one would let children borrow what ends too early.
    marker: PhantomData<(&'scope mut &'scope (), M, S)>,
}

/// A [`Spawner`] of a [`local_task_group!`](macro.local_task_group.html): its tasks need not be `Send`.
pub type LocalSpawner<'scope, M = Plain> = Spawner<'scope, M, Local>;

impl<'scope, M, S> Spawner<'scope, M, S> {
    pub(super) fn new(shared: &'scope Arc<Shared>) -> Self {
        Self {
            shared,
            marker: PhantomData,
        }
    }

    /// The name given to the group, if one was.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.shared.name().map(ToString::to_string)
    }

    /// A count of what the group has.
    #[must_use]
    pub fn statistics(&self) -> TaskGroupStatistics {
        TaskGroupStatistics {
            tasks: self.shared.live(),
        }
    }

    fn insert<F>(
        &self,
        future: F,
        location: &'static Location<'static>,
    ) -> TaskHandle<'scope, <M as Mode<F::Output>>::Value>
    where
        F: Future,
        M: Mode<F::Output>,
    {
        let child = child::new::<F, M>(future, self.shared, State::queued_with_handle(1), location);
        // SAFETY: just made for this group, with a reference for the driver and a handle. What
        // it borrows outlives `'scope`: the callers below ask for `F: 'scope`.
        unsafe {
            self.shared.insert(child);
            TaskHandle::new(child)
        }
    }
}

impl<'scope, M, C> Spawner<'scope, M, Carrier<C>> {
    /// Starts one of the futures that the group was made to carry, or one made of those.
    pub(crate) fn carry<F>(
        &self,
        future: F,
        location: &'static Location<'static>,
    ) -> TaskHandle<'scope, <M as Mode<F::Output>>::Value>
    where
        F: Future + 'scope,
        M: Mode<F::Output>,
        <M as Mode<F::Output>>::Value: 'scope,
        <M as Mode<F::Output>>::Error: 'scope,
    {
        self.insert(future, location)
    }
}

macro_rules! starters {
    ($marker:ident $(, $send:ident)?) => {
        impl<'scope, M> Spawner<'scope, M, $marker> {
            /// Starts a task in the group, which may borrow whatever was declared before the group.
            ///
            /// It runs concurrently with the body and its siblings, polled by the task that the group is
            /// in, so not in parallel to it: for that there is [`spawn_parallel`](Self::spawn_parallel).
            /// It is first polled after this returns, and once at least, even if the group is cancelled.
            ///
            /// The handle gives the value. Dropping it changes nothing: the group waits for the task.
            /// [`TaskHandle`] has an example.
            ///
            /// # Panics
            ///
            /// Never. In a group that is over, which only a destructor of one of its tasks can reach, the
            /// future is dropped and the handle says that it was cancelled.
            #[track_caller]
            pub fn spawn<F>(&self, future: F) -> TaskHandle<'scope, <M as Mode<F::Output>>::Value>
            where
                F: Future $(+ $send)? + 'scope,
                M: Mode<F::Output>,
                <M as Mode<F::Output>>::Value: $($send +)? 'scope,
                <M as Mode<F::Output>>::Error: $($send +)? 'scope,
            {
                self.insert(future, Location::caller())
            }

            /// Starts a task of the backend that belongs to the group: it may run on any thread, in
            /// parallel to the rest.
            ///
            /// For that it must own what it uses (`'static`); there is no sound way to run a borrowing
            /// task on another thread. It is cancelled with the group, and the group waits for it. If the
            /// group is dropped from outside, it is cancelled and runs to its end by itself.
            ///
            /// # Panics
            ///
            /// If there is no backend around this call.
            ///
            /// ```
            /// # #[anyio::main]
            /// # async fn main() {
            /// let numbers: std::sync::Arc<[u64]> = (1..=100).collect();
            /// let sum = anyio::task_group!(|tg| {
            ///     let numbers = numbers.clone();
            ///     tg.spawn_parallel(async move { numbers.iter().sum::<u64>() }).await
            /// });
            /// assert_eq!(sum, 5050);
            /// # }
            /// ```
            #[track_caller]
            pub fn spawn_parallel<F>(&self, future: F) -> TaskHandle<'scope, <M as Mode<F::Output>>::Value>
            where
                F: Future + Send + 'static,
                M: Mode<F::Output> + 'static,
                <M as Mode<F::Output>>::Value: Send + 'static,
                <M as Mode<F::Output>>::Error: Send + 'static,
            {
                parallel::spawn::<F, M>(future, self.shared, Location::caller())
            }

            /// Starts a task and waits until it says that it has started.
            ///
            /// `make` gets the [`TaskStatus`] to say so with. Until then the task runs inside this call: it
            /// is in the caller's cancel scopes, and its error is the caller's. From
            /// [`started`](TaskStatus::started) on it is a child of the group like any other.
            ///
            /// # Errors
            ///
            /// [`StartError`](crate::StartError) if the task ended, well or not, before it had started.
            ///
            /// # Panics
            ///
            /// If the task does before it has started; the group is not touched then.
            ///
            /// # Cancel safety
            ///
            /// Cancelled before it has given a result, this cancels the task and waits for its shielded
            /// parts; the group is not touched.
            ///
            /// ```
            /// use anyio::{TaskStatus, task_group};
            ///
            /// async fn serve(status: TaskStatus<u16>) {
            ///     status.started(8080);
            ///     anyio::sleep_forever().await
            /// }
            ///
            /// # #[anyio::main]
            /// # async fn main() {
            /// task_group!(|tg| {
            ///     let (port, _server) = tg.start(serve).await.unwrap();
            ///     assert_eq!(port, 8080);
            ///     tg.cancel();
            /// });
            /// # }
            /// ```
            #[track_caller]
            pub fn start<R, F>(&self, make: impl FnOnce(TaskStatus<R>) -> F) -> Start<'scope, R, F, M>
            where
                F: Future $(+ $send)? + 'scope,
                M: Mode<F::Output>,
                <M as Mode<F::Output>>::Value: $($send +)? 'scope,
                <M as Mode<F::Output>>::Error: $($send +)? 'scope,
            {
                Start::new(self.shared, make, Location::caller())
            }
        }
    };
}

starters!(Threaded, Send);
starters!(Local);

impl<M, S> Clone for Spawner<'_, M, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, S> Copy for Spawner<'_, M, S> {}

impl<M, S> fmt::Debug for Spawner<'_, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner")
            .field("name", &self.shared.name())
            .field("location", &format_args!("{}", self.shared.location()))
            .finish_non_exhaustive()
    }
}

/// A count of what a group has, from [`Spawner::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskGroupStatistics {
    /// How many children have not ended. One spawned from another thread counts once the group has seen
    /// it.
    pub tasks: usize,
}
