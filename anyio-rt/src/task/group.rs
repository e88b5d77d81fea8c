//! A group in the surrounding function, and its handle, [`TaskGroup`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use super::drive::{Drive, DriveMode};
use super::mode::Plain;
use super::shared::Shared;
use super::spawner::Spawner;
use crate::scope::{Reason, ScopeHandle};
use crate::util::name::TaskName;
use crate::util::sync::lock;

/// The marker of groups that may move between threads as a whole, with all their children.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)] // a marker
pub enum Threaded {}

/// The marker of groups that stay on the thread they were opened on.
#[derive(Debug)]
pub struct Local(PhantomData<*const ()>);

/// The marker of groups inside this crate that carry futures which came from outside as `F`: they may move
/// between threads if those may.
pub(crate) struct Carrier<F>(PhantomData<F>);

#[allow(unsafe_code)] // the marker above
mod carrier {
    // SAFETY: says that a shared group, which is what is inside a driver, may be used from another thread
    // when all that its children are made of may be sent there. `Spawner::carry` takes nothing else.
    unsafe impl<F: Send> Sync for super::Carrier<F> {}
}

/// What a group keeps in the surrounding function beside its driver: nothing of the children's.
pub struct Group<T, M, S> {
    shared: Arc<Shared>,
    result: Mutex<Results<T>>,
    marker: PhantomData<(M, S)>,
}

/// What the group gives, unless its body says so.
struct Results<T> {
    /// From `finish`; goes before what the body gives.
    finished: Option<T>,
    /// From `cancel`; if the body gave nothing.
    cancelled: Option<T>,
}

impl<T, M, S> Group<T, M, S> {
    pub(crate) fn new(
        name: Option<String>,
        shield: bool,
        location: &'static Location<'static>,
    ) -> Self {
        let name = name.map(|name| TaskName::Given(name.into()));
        Self {
            shared: Shared::new(name, shield, location),
            result: Mutex::new(Results {
                finished: None,
                cancelled: None,
            }),
            marker: PhantomData,
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// What the group gives, `body` being what the body gave.
    pub(super) fn result(&self, body: Option<T>) -> Option<T> {
        let mut results = lock(&self.result);
        results
            .finished
            .take()
            .or(body)
            .or_else(|| results.cancelled.take())
    }

    /// The future of the group, running `body`.
    pub(crate) fn drive<'scope, B>(
        tg: TaskGroup<'scope, T, M, S>,
        body: B,
    ) -> Drive<'scope, T, M, S, B>
    where
        M: DriveMode<T>,
        B: Future<Output = M::Body>,
    {
        Drive::new(tg.group, body)
    }

    pub(crate) fn handle(&self) -> TaskGroup<'_, T, M, S> {
        TaskGroup {
            group: self,
            spawner: Spawner::new(&self.shared),
        }
    }
}

impl<T, M, S> fmt::Debug for Group<T, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.shared.name())
            .field("location", &format_args!("{}", self.shared.location()))
            .finish_non_exhaustive()
    }
}

/// Says which groups can be cancelled without a value.
#[diagnostic::on_unimplemented(
    message = "a task group that gives `{Self}` cannot be cancelled without a value",
    label = "this group gives `{Self}`",
    note = "`finish(value)` cancels the group and says what it gives; `cancel` is for groups that give `()`"
)]
pub trait CancelValue: sealed::Sealed {
    #[doc(hidden)]
    fn cancelled() -> Self;
}

impl CancelValue for () {
    fn cancelled() -> Self {}
}

mod sealed {
    #[allow(unnameable_types)] // that is the point
    pub trait Sealed {}
    impl Sealed for () {}
}

/// A group of tasks that end before the block that opened it: the handle, as `tg` in
/// [`task_group!`](macro.task_group.html).
///
/// Tasks are started through its [`Spawner`], which it dereferences to: `tg.spawn(…)`, `tg.start(…)`.
///
/// `Copy`: give it to children, which may spawn siblings, and to helper functions (or its
/// [`spawner`](Self::spawner), which does not mention what the group gives). It cannot leave the group.
///
/// `T` is what the group gives and `M` its mode: [`Plain`], or [`Fallible<E>`](crate::Fallible) if it is
/// annotated `|tg| -> Result<T, E>`. A group of [`local_task_group!`](macro.local_task_group.html) is a
/// [`LocalTaskGroup`].
///
/// ```
/// use anyio::{TaskGroup, task_group};
///
/// async fn both(tg: TaskGroup<'_>, word: &'static str) {
///     tg.spawn(async move { assert_eq!(word.len(), 3) });
///     tg.spawn(anyio::checkpoint());
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// task_group!(|tg| both(tg, "one").await);
/// # }
/// ```
pub struct TaskGroup<'scope, T = (), M = Plain, S = Threaded> {
    group: &'scope Group<T, M, S>,
    spawner: Spawner<'scope, M, S>,
}

/// A [`TaskGroup`] whose children need not be `Send`.
pub type LocalTaskGroup<'scope, T = (), M = Plain> = TaskGroup<'scope, T, M, Local>;

impl<T, M, S> Clone for TaskGroup<'_, T, M, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, M, S> Copy for TaskGroup<'_, T, M, S> {}

impl<T, M, S> fmt::Debug for TaskGroup<'_, T, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("name", &self.group.shared.name())
            .field(
                "location",
                &format_args!("{}", self.group.shared.location()),
            )
            .finish_non_exhaustive()
    }
}

impl<'scope, T, M, S> TaskGroup<'scope, T, M, S> {
    /// The part of this handle that starts tasks, for functions that do not care what the group gives.
    /// [`Spawner`] has an example.
    #[must_use]
    pub fn spawner(&self) -> Spawner<'scope, M, S> {
        self.spawner
    }

    /// Ends the group: cancels the children and the body, and says what the group gives.
    ///
    /// The first value stays, also if the body gives one before its next suspension. Children and body
    /// have not reacted when this returns.
    ///
    /// ```
    /// # #[anyio::main]
    /// # async fn main() {
    /// let winner = anyio::task_group!(|tg| {
    ///     for (n, name) in ["tortoise", "hare"].into_iter().enumerate() {
    ///         tg.spawn(async move {
    ///             for _ in 0..=n {
    ///                 anyio::checkpoint().await; // the hare takes naps
    ///             }
    ///             tg.finish(name);
    ///         });
    ///     }
    ///     anyio::sleep_forever().await;
    ///     unreachable!()
    /// });
    /// assert_eq!(winner, "tortoise");
    /// # }
    /// ```
    pub fn finish(&self, value: T) {
        // A value that comes too late is dropped like that of a child that nobody asks for.
        let _ = self.try_finish(value);
    }

    /// As [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// Gives the value back if the group has one already.
    ///
    /// ```
    /// # #[anyio::main]
    /// # async fn main() {
    /// let first = anyio::task_group!(|tg| {
    ///     assert_eq!(tg.try_finish(1), Ok(()));
    ///     assert_eq!(tg.try_finish(2), Err(2));
    ///     3
    /// });
    /// assert_eq!(first, 1);
    /// # }
    /// ```
    pub fn try_finish(&self, value: T) -> Result<(), T> {
        {
            let mut results = lock(&self.group.result);
            if results.finished.is_some() {
                return Err(value);
            }
            results.finished = Some(value);
        }
        self.group.shared.node().cancel(|| Reason::called(None));
        Ok(())
    }

    /// Cancels the children and the body. The group then gives `()`, unless a member fails.
    ///
    /// For groups that give something else, see [`finish`](Self::finish). A second call changes nothing.
    ///
    /// ```
    /// # #[anyio::main]
    /// # async fn main() {
    /// anyio::task_group!(|tg| {
    ///     tg.spawn(anyio::sleep_forever());
    ///     tg.cancel();
    /// });
    /// # }
    /// ```
    pub fn cancel(&self)
    where
        T: CancelValue,
    {
        self.cancel_scope().cancel();
    }

    /// As [`cancel`](Self::cancel), saying why; the first reason stays.
    pub fn cancel_because(&self, reason: impl Into<Box<str>>)
    where
        T: CancelValue,
    {
        self.cancel_scope().cancel_because(reason);
    }

    /// The scope around the body and all children: to cancel them, to set a deadline, to shield them.
    ///
    /// ```
    /// # #[anyio::main]
    /// # async fn main() {
    /// anyio::task_group!(|tg| {
    ///     let scope = tg.cancel_scope();
    ///     scope.set_deadline(anyio::current_time() + std::time::Duration::from_millis(1));
    ///     tg.spawn(anyio::sleep_forever());
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn cancel_scope(&self) -> ScopeHandle
    where
        T: CancelValue,
    {
        lock(&self.group.result).cancelled = Some(T::cancelled());
        ScopeHandle::new(Arc::clone(self.group.shared.node()))
    }
}

impl<'scope, T, M, S> Deref for TaskGroup<'scope, T, M, S> {
    type Target = Spawner<'scope, M, S>;

    fn deref(&self) -> &Self::Target {
        &self.spawner
    }
}
