//! What the outputs of a group's children mean.

use std::convert::Infallible;
use std::marker::PhantomData;

/// The mode of a group whose children cannot fail: whatever one gives is its value.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)] // a marker
pub enum Plain {}

/// The mode of a group whose children give `Result<_, E>`: the first error cancels the rest.
///
/// Invariant in `E`, since errors go in at one end and come out at the other.
///
/// ```
/// use anyio::{Fallible, Spawner, task_group};
///
/// fn check(tasks: Spawner<'_, Fallible<String>>, n: u32) {
///     tasks.spawn(async move { if n > 1 { Err(format!("{n} is too large")) } else { Ok(()) } });
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let result = task_group!(|tg| -> Result<(), String> {
///     (0..3).for_each(|n| check(tg.spawner(), n));
///     Ok(())
/// });
/// assert_eq!(result.unwrap_err().into_first(), "2 is too large");
/// # }
/// ```
#[derive(Debug)]
pub struct Fallible<E>(Infallible, PhantomData<fn(E) -> E>);

/// How a group of this mode takes a child whose output is `T`. Implemented by [`Plain`] for every type and
/// by [`Fallible<E>`] for `Result<_, E>`.
#[diagnostic::on_unimplemented(
    message = "a child of this task group cannot give `{T}`",
    label = "this child gives `{T}`",
    note = "in a group annotated `|tg| -> Result<_, E>` each child gives `Result<_, E>` with that same `E`: \
            convert the error with `map_err`, or wrap the value in `Ok`"
)]
pub trait Mode<T>: sealed::Sealed {
    /// What a handle of the child gives.
    type Value;
    /// What the child fails with.
    type Error;

    #[doc(hidden)]
    fn split(output: T) -> Result<Self::Value, Self::Error>;
}

mod sealed {
    #[allow(unnameable_types)] // that is the point
    pub trait Sealed {}
    impl Sealed for super::Plain {}
    impl<E> Sealed for super::Fallible<E> {}
}

impl<T> Mode<T> for Plain {
    type Value = T;
    type Error = Infallible;

    fn split(output: T) -> Result<T, Infallible> {
        Ok(output)
    }
}

impl<V, E> Mode<Result<V, E>> for Fallible<E> {
    type Value = V;
    type Error = E;

    fn split(output: Result<V, E>) -> Result<V, E> {
        output
    }
}
