//! Things that need an asynchronous end.

use std::fmt;
use std::future::Future;

use crate::scope::{CancelScope, Settled, shield};

/// Something that is closed asynchronously, such as a connection that says goodbye.
///
/// In [`with!`](macro.with.html) it is closed, shielded, however the body ended. Dropping it must release what
/// it holds all the same, without the polite part; [`aclose_forcefully`] relies on that.
///
/// ```
/// use anyio::AsyncResource;
///
/// struct Journal(Vec<&'static str>);
///
/// impl AsyncResource for Journal {
///     async fn aclose(&mut self) {
///         anyio::checkpoint().await;
///         self.0.push("closed");
///         assert_eq!(self.0, ["written", "closed"]);
///     }
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// anyio::with!(journal = Journal(Vec::new()), {
///     journal.0.push("written");
/// });
/// # }
/// ```
pub trait AsyncResource {
    /// Closes it, after what is left to do. Closing it again does nothing.
    fn aclose(&mut self) -> impl Future<Output = ()> + Send;
}

/// Closes a resource without waiting for anything: its [`aclose`](AsyncResource::aclose) runs in a scope
/// that is cancelled already, so it gets no further than its first suspension. Never passes the
/// cancellation on.
///
/// ```
/// use anyio::{AsyncResource, aclose_forcefully};
///
/// struct Polite { connected: bool }
///
/// impl AsyncResource for Polite {
///     async fn aclose(&mut self) {
///         self.connected = false;
///         anyio::sleep_forever().await; // waits for a goodbye that never comes
///     }
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut peer = Polite { connected: true };
/// aclose_forcefully(&mut peer).await;
/// assert!(!peer.connected);
/// # }
/// ```
pub async fn aclose_forcefully<R: AsyncResource + ?Sized>(resource: &mut R) {
    let scope = CancelScope::new();
    scope.handle().cancel();
    // Whether it got to its end or was cut short, it is closed.
    let _ = scope.run(resource.aclose()).await;
}

/// How the body of a [`with!`](macro.with.html) ended. [`AsyncContextManager`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// By its end, or by `?`, `return`, `break` or `continue`.
    Completed,
    /// By a cancellation.
    Cancelled,
    /// By a panic.
    Panicked,
}

/// Something to be entered before a block and left after it, both asynchronously: what
/// [`with!`](macro.with.html) takes.
///
/// Every [`AsyncResource`] is one: entering it gives itself, leaving it closes it.
///
/// # Cancel safety
///
/// Entering can be cancelled, leaving cannot. Something else than a scope of this crate may drop the future that
/// they are part of; then the resource is dropped and leaving does not run.
///
/// ```
/// use anyio::{AsyncContextManager, Outcome};
///
/// struct Transaction<'a>(&'a mut Vec<&'static str>);
///
/// impl<'a> AsyncContextManager for Transaction<'a> {
///     type Resource = Self;
///
///     async fn enter(self) -> Self {
///         self.0.push("begin");
///         self
///     }
///
///     async fn exit(transaction: Self, outcome: Outcome) {
///         anyio::checkpoint().await;
///         transaction.0.push(match outcome {
///             Outcome::Completed => "commit",
///             _ => "roll back",
///         });
///     }
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut log = Vec::new();
/// anyio::with!(transaction = Transaction(&mut log), {
///     transaction.0.push("insert");
/// });
/// assert_eq!(log, ["begin", "insert", "commit"]);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`with!` cannot enter a value of type `{Self}`",
    label = "neither an `AsyncContextManager` nor an `AsyncResource`",
    note = "implement `AsyncResource` for what is only closed, `AsyncContextManager` for what is also opened"
)]
pub trait AsyncContextManager {
    /// What the block gets, by `&mut`.
    type Resource;

    /// Before the block. Not shielded: entering can be cancelled, and then there is nothing to leave.
    fn enter(self) -> impl Future<Output = Self::Resource> + Send;

    /// After the block, however it ended; shielded.
    fn exit(resource: Self::Resource, outcome: Outcome) -> impl Future<Output = ()> + Send;
}

#[diagnostic::do_not_recommend] // of the two traits, the message above is the one that helps
impl<R: AsyncResource + Send> AsyncContextManager for R {
    type Resource = R;

    async fn enter(self) -> R {
        self
    }

    async fn exit(mut resource: R, _: Outcome) {
        resource.aclose().await;
    }
}

/// A manager that has been entered, for [`exit`].
pub struct Entered<M: AsyncContextManager> {
    resource: M::Resource,
}

impl<M: AsyncContextManager> std::ops::Deref for Entered<M> {
    type Target = M::Resource;

    fn deref(&self) -> &M::Resource {
        &self.resource
    }
}

impl<M: AsyncContextManager> std::ops::DerefMut for Entered<M> {
    fn deref_mut(&mut self) -> &mut M::Resource {
        &mut self.resource
    }
}

impl<M: AsyncContextManager> fmt::Debug for Entered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// For `with!`.
pub async fn enter<M: AsyncContextManager>(manager: M) -> Entered<M> {
    Entered {
        resource: manager.enter().await,
    }
}

/// For `with!`.
///
/// Looks at `settled` now and keeps nothing of it: a reference to it would not be `Send`.
#[track_caller]
pub fn exit<M: AsyncContextManager, T>(
    entered: Entered<M>,
    settled: &Settled<T>,
) -> impl Future<Output = ()> + use<M, T> {
    let outcome = match settled {
        Settled::Value(_) => Outcome::Completed,
        Settled::Cancelled(_) => Outcome::Cancelled,
        Settled::Panicked(_) => Outcome::Panicked,
    };
    shield(M::exit(entered.resource, outcome))
}
