//! What expansions of the macros name. Exempt from semantic versioning, and not for use by hand:
//! [`drive`] is sound only as `task_group!` uses it, awaited on the spot.

#![allow(clippy::must_use_candidate)] // called by expansions only

use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::time::Instant;

// Everything: names that a user's own items could shadow.
pub use std::ops::ControlFlow;
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{self, Err, Ok};
pub use std::task::Poll;
pub use std::time::Duration;

// task_group!, local_task_group!
pub use crate::task::{Fallible, Group, Local, Plain, Threaded};
// with!
pub use crate::resource::{Entered, enter, exit};
// shield!, #[shielded], finally!
pub use crate::scope::shield;
// finally!, with!
pub use crate::scope::{Pending, Settle, Settled, settle};

use crate::scope::{CancelScope, FailAfter, MoveOn, ScopeHandle, Scoped, resume_cancelled};
use crate::task::{Drive, DriveMode, TaskGroup};
use crate::util::name::TaskName;

// ---- every body --------------------------------------------------------------------------------------

/// Says what a future gives, which an async block cannot.
pub fn output<T, F: Future<Output = T>>(future: F) -> F {
    future
}

/// Makes a `?` type-check that has been reported as an error.
pub fn assume<T: Try>(_: T) -> T::Output {
    unreachable!("the program did not compile")
}

// ---- control flow out of a block (`Flow` in anyio-macros) --------------------------------------------

/// How a block that became a future ended.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum Flow<V, X> {
    Value(V),
    Exit(X),
}

/// One way out, or one of the others.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum Or<A, B> {
    A(A),
    B(B),
}

/// What follows the last way out.
pub fn nowhere<T>(nowhere: Infallible) -> T {
    match nowhere {}
}

/// What `?` may be put behind, as the standard library's `Try`, which is unstable.
#[diagnostic::on_unimplemented(
    message = "the `?` operator cannot be applied to a value of type `{Self}`",
    label = "`?` is for `Result`, `Option`, `ControlFlow`, and `Poll` of a `Result`"
)]
pub trait Try {
    type Output;
    /// What `?` leaves the function with: a value of the same kind that has only that.
    type Residual;

    fn branch(self) -> ControlFlow<Self::Residual, Self::Output>;
}

impl<T, E> Try for Result<T, E> {
    type Output = T;
    type Residual = Result<Infallible, E>;

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        match self {
            Ok(value) => ControlFlow::Continue(value),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }
}

impl<T> Try for Option<T> {
    type Output = T;
    type Residual = Option<Infallible>;

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        match self {
            Some(value) => ControlFlow::Continue(value),
            None => ControlFlow::Break(None),
        }
    }
}

impl<B, C> Try for ControlFlow<B, C> {
    type Output = C;
    type Residual = ControlFlow<B, Infallible>;

    fn branch(self) -> ControlFlow<Self::Residual, C> {
        match self {
            Self::Continue(value) => ControlFlow::Continue(value),
            Self::Break(value) => ControlFlow::Break(ControlFlow::Break(value)),
        }
    }
}

impl<T, E> Try for Poll<Result<T, E>> {
    type Output = Poll<T>;
    type Residual = Result<Infallible, E>;

    fn branch(self) -> ControlFlow<Self::Residual, Poll<T>> {
        match self {
            Self::Ready(Ok(value)) => ControlFlow::Continue(Poll::Ready(value)),
            Self::Ready(Err(error)) => ControlFlow::Break(Err(error)),
            Self::Pending => ControlFlow::Continue(Poll::Pending),
        }
    }
}

impl<T, E> Try for Poll<Option<Result<T, E>>> {
    type Output = Poll<Option<T>>;
    type Residual = Result<Infallible, E>;

    fn branch(self) -> ControlFlow<Self::Residual, Poll<Option<T>>> {
        match self {
            Self::Ready(Some(Ok(value))) => ControlFlow::Continue(Poll::Ready(Some(value))),
            Self::Ready(Some(Err(error))) => ControlFlow::Break(Err(error)),
            Self::Ready(None) => ControlFlow::Continue(Poll::Ready(None)),
            Self::Pending => ControlFlow::Continue(Poll::Pending),
        }
    }
}

pub fn branch<T: Try>(value: T) -> ControlFlow<T::Residual, T::Output> {
    value.branch()
}

// ---- task_group!, local_task_group! ------------------------------------------------------------------

/// The options of a group.
#[derive(Debug)]
#[must_use]
pub struct GroupOptions {
    name: Option<String>,
    shield: bool,
    location: &'static Location<'static>,
}

impl GroupOptions {
    #[track_caller]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            name: None,
            shield: false,
            location: Location::caller(),
        }
    }

    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub fn shield(mut self, shield: bool) -> Self {
        self.shield = shield;
        self
    }

    #[must_use]
    pub fn plain<T, S>(self) -> Group<T, Plain, S> {
        Group::new(self.name, self.shield, self.location)
    }

    #[must_use]
    pub fn fallible<R: GroupResult, S>(self) -> Group<R::Value, Fallible<R::Error>, S> {
        Group::new(self.name, self.shield, self.location)
    }
}

/// What a group may be annotated with.
#[diagnostic::on_unimplemented(
    message = "a task group is annotated with the `Result` of its body, not with `{Self}`",
    label = "not a `Result`",
    note = "write `|tg| -> Result<T, E> {{ … }}`, or leave the annotation out if nothing can fail"
)]
pub trait GroupResult {
    type Value;
    type Error;
}

impl<T, E> GroupResult for Result<T, E> {
    type Value = T;
    type Error = E;
}

pub fn task_group<T, M, S>(group: &Group<T, M, S>) -> TaskGroup<'_, T, M, S> {
    group.handle()
}

pub fn drive<'scope, T, M, S, B>(
    tg: TaskGroup<'scope, T, M, S>,
    body: B,
) -> Drive<'scope, T, M, S, B>
where
    M: DriveMode<T>,
    B: Future<Output = M::Body>,
{
    Group::drive(tg, body)
}

// ---- cancel_scope!, move_on_*!, fail_*! --------------------------------------------------------------

pub const fn scope() -> CancelScope {
    CancelScope::new()
}

pub fn scope_after(delay: Duration) -> CancelScope {
    CancelScope::new().deadline_after(delay)
}

pub fn scope_at(deadline: Instant) -> CancelScope {
    CancelScope::new().deadline_at(deadline)
}

#[must_use]
pub fn handle(scope: &CancelScope) -> ScopeHandle {
    scope.handle()
}

#[track_caller]
pub fn run<F: Future>(scope: CancelScope, body: F) -> Scoped<F> {
    scope.run(body)
}

#[track_caller]
pub fn move_on<F: Future>(scope: CancelScope, body: F) -> MoveOn<F> {
    MoveOn::new(scope, body)
}

#[track_caller]
pub fn fail<F: Future>(scope: CancelScope, body: F) -> FailAfter<F> {
    FailAfter::new(scope, None, body)
}

/// `fail` with `reason = …`.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct FailBecause<R>(pub R);

impl<R: Into<String>> FailBecause<R> {
    #[track_caller]
    pub fn fail<F: Future>(self, scope: CancelScope, body: F) -> FailAfter<F> {
        FailAfter::new(scope, Some(self.0.into().into_boxed_str()), body)
    }
}

// ---- finally!, with! ---------------------------------------------------------------------------------

/// The value that the body ended with, once the clean-up is done; a cancellation or a panic goes on.
pub async fn pass_on<T>(settled: Settled<T>) -> T {
    match settled {
        Settled::Value(value) => value,
        Settled::Cancelled(cancelled) => match resume_cancelled(cancelled).await {},
        Settled::Panicked(payload) => resume_unwind(payload),
    }
}

// ---- #[anyio::main], #[anyio::test] ------------------------------------------------------------------

pub use crate::backend::Backend;

/// Runs a program.
#[track_caller]
pub fn main<F: Future>(backend: Backend, main: F) -> F::Output {
    match crate::run(backend, main) {
        Ok(output) => output,
        Err(error) => panic!("{error}"),
    }
}

/// Runs a test. The future is erased but for its name, so that a thousand tests do not make a thousand
/// executors.
#[track_caller]
pub fn test<T, F: Future<Output = T>>(
    backend: Backend,
    timeout: Option<Duration>,
    test: Pin<&mut F>,
) -> T {
    crate::testing::run_test(backend, timeout, TaskName::of::<F>(), test)
}
