//! The macros, with their documentation.

/// Opens a task group: runs the body with `tg`, a [`TaskGroup`](crate::TaskGroup), waits for every task
/// that was started in it, and gives the body's value.
///
/// ```text
/// task_group!([name = "…",] [shield = bool,] |tg| body)
/// task_group!([name = "…",] [shield = bool,] |tg| -> Result<T, E> body)
/// ```
///
/// The body is a function of its own. Tasks may borrow what was declared *before* the group. Without
/// annotation the group gives `T`, and nothing in it can fail. Annotated, the body and all tasks give
/// `Result<_, E>`, and the first error cancels the rest.
///
/// The `name` shows in errors and in the reasons of cancellations. With `shield`, cancellations from further out
/// wait until the group has ended. Cancelled from further out without it, the tasks and the body are dropped
/// each on its own; those that are shielded or clean up are waited for.
///
/// The [manual](crate::manual::tasks) has more: handles, `start`, cancelling, helpers, panics.
///
/// # Errors
///
/// An annotated group gives [`ErrorGroup<E>`](crate::ErrorGroup), with all errors of its body and its tasks, if
/// there is one.
///
/// # Panics
///
/// If the body or a task does: the rest is cancelled, and when all have ended the first panic goes on.
///
/// # Cancel safety
///
/// Dropped from outside (a foreign `select!`, an aborted tokio task), the group drops its tasks where they
/// stand, in the middle of shields if need be, which is reported through `tracing`. Parallel tasks are
/// cancelled and run to their end by themselves.
///
/// # Example: tasks that borrow
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let names = ["ada", "grace"];
/// let mut greeting = String::from("hello");
/// anyio::task_group!(|tg| {
///     tg.spawn(async {
///         anyio::checkpoint().await;
///         greeting.push_str(", world");
///     });
///     for name in &names {
///         tg.spawn(async move { assert!(name.len() > 2) });
///     }
/// });
/// assert_eq!(greeting, "hello, world");
/// # }
/// ```
///
/// # Example: the first error ends it
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let result = anyio::task_group!(|tg| -> Result<u32, std::num::ParseIntError> {
///     tg.spawn(std::future::pending::<Result<(), _>>());
///     let parsed = tg.spawn(async { "twelve".parse::<u32>() });
///     Ok(parsed.await) // cancelled here, since the task failed
/// });
/// assert_eq!(result.unwrap_err().len(), 1);
/// # }
/// ```
///
/// # Example: what does not compile
///
/// A task cannot borrow what the body owns, since it may outlive the body:
///
/// ```compile_fail,E0373
/// # #[anyio::main]
/// # async fn main() {
/// anyio::task_group!(|tg| {
///     let inside = String::from("gone when the body ends");
///     tg.spawn(async { println!("{inside}") }); // `async move` would do
/// });
/// # }
/// ```
///
/// Nor can a handle leave the group:
///
/// ```compile_fail,E0597
/// # #[anyio::main]
/// # async fn main() {
/// let mut kept = None;
/// anyio::task_group!(|tg| {
///     kept = Some(tg.spawn(async { 1 }));
/// });
/// println!("{:?}", kept);
/// # }
/// ```
pub use anyio_macros::task_group;

/// As [`task_group!`], for tasks that are not `Send`. The group then stays on its thread, and so does the
/// surrounding future.
///
/// ```text
/// local_task_group!([name = "…",] [shield = bool,] |tg| [-> Result<T, E>] body)
/// ```
///
/// `tg` is a [`LocalTaskGroup`](crate::LocalTaskGroup).
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// use std::rc::Rc;
///
/// let shared = Rc::new(5);
/// anyio::local_task_group!(|tg| {
///     let shared = Rc::clone(&shared);
///     tg.spawn(async move { assert_eq!(*shared, 5) });
/// });
/// # }
/// ```
pub use anyio_macros::local_task_group;

/// Runs the body in a cancel scope, with a [`ScopeHandle`](crate::ScopeHandle) to it.
///
/// ```text
/// cancel_scope!([shield = bool,] |scope| [-> T] body)
/// ```
///
/// The body is a function of its own; to use `?` in it, say what it returns: `|scope| -> Result<_, Error> { … }`.
/// With `shield`, cancellations from further out wait until it has ended. For a timeout with a handle there is
/// `move_on_after!(5s, |scope| { … })`.
///
/// # Errors
///
/// [`Cancelled`](crate::Cancelled) if the scope was cancelled and the body was dropped for it. A body that ends
/// before one of its suspensions is cancelled gives its value.
///
/// # Cancel safety
///
/// Dropped from outside, the body is dropped where it stands, shields or not.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let ended = anyio::cancel_scope!(|scope| {
///     let stop = scope.clone();
///     std::thread::spawn(move || stop.cancel_because("enough"));
///     anyio::sleep_forever().await
/// });
/// assert_eq!(ended.unwrap_err().reason(), Some("enough"));
/// # }
/// ```
pub use anyio_macros::cancel_scope;

/// Runs the body for so long; gives `Some` of its value, or `None` if time ran out.
///
/// ```text
/// move_on_after!([shield = bool,] duration, { … })
/// move_on_after!([shield = bool,] duration, |scope| [-> T] { … })
/// move_on_after!([shield = bool,] duration, future)
/// ```
///
/// The duration is a `Duration`, or a literal with a unit: `5s`, `1.5s`, `250ms`, `10us`, `100ns`, `2min`, `1h`,
/// `1d`. It counts from the entry; zero gives what is ready at once. With `shield`, cancellations from further
/// out wait until the block has ended, for which this one has a limit.
///
/// A block is part of the surrounding function. With `|scope|`, a [`ScopeHandle`](crate::ScopeHandle), the body
/// is a function of its own, and can move the deadline or cancel the scope.
///
/// # Panics
///
/// At the first suspension, if there is no backend to wait for the deadline.
///
/// # Cancel safety
///
/// Dropped from outside, the body is dropped where it stands, shields or not.
///
/// # Example: in a loop
///
/// ```
/// # #[anyio::main]
/// # async fn main() -> Result<(), std::num::ParseIntError> {
/// let mut tries = 0;
/// let n = loop {
///     tries += 1;
///     anyio::move_on_after!(10ms, {
///         if tries == 1 {
///             anyio::sleep_forever().await; // too slow the first time
///         }
///         break "42".parse::<u32>()?; // leaves the loop, or with an error the function
///     });
/// };
/// assert_eq!((n, tries), (42, 2));
/// # Ok(())
/// # }
/// ```
///
/// # Example: moving the deadline
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let done = anyio::move_on_after!(1ms, |scope| {
///     scope.set_deadline(None); // this will take longer
///     anyio::sleep(std::time::Duration::from_millis(3)).await;
///     "done"
/// });
/// assert_eq!(done, Some("done"));
/// # }
/// ```
///
/// # Example: what does not compile
///
/// As for every block of a macro, a variable that the block *consumes* is moved into it. In a loop, that is
/// "use of moved value":
///
/// ```compile_fail,E0382
/// async fn send(text: String) {
///     for _ in 0..3 {
///         anyio::move_on_after!(5s, { drop(text) });
///     }
/// }
/// ```
pub use anyio_macros::move_on_after;

/// As [`move_on_after!`], until an instant on the backend's clock; one in the past cancels the first
/// suspension.
///
/// ```text
/// move_on_at!([shield = bool,] instant, body)
/// ```
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let deadline = anyio::current_time() + std::time::Duration::from_millis(2);
/// assert!(anyio::move_on_at!(deadline, { anyio::sleep_forever().await }).is_none());
/// # }
/// ```
pub use anyio_macros::move_on_at;

/// As [`move_on_after!`], but fails if time ran out.
///
/// ```text
/// fail_after!([reason = "…",] [shield = bool,] duration, body)
/// ```
///
/// # Errors
///
/// [`TimeoutError`](crate::TimeoutError) if time ran out and the body was dropped for it, with the `reason` in its
/// text; also if the scope was cancelled by its handle, which
/// [`is_deadline`](crate::TimeoutError::is_deadline) tells. `?` turns it into an `io::Error` as well.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let answer = anyio::fail_after!(reason = "no answer", 1ms, {
///     anyio::sleep_forever().await
/// });
/// assert_eq!(answer.unwrap_err().to_string(), "deadline exceeded: no answer");
/// # }
/// ```
pub use anyio_macros::fail_after;

/// As [`fail_after!`], until an instant on the backend's clock; one in the past cancels the first suspension.
///
/// ```text
/// fail_at!([reason = "…",] [shield = bool,] instant, body)
/// ```
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let past = anyio::current_time();
/// assert!(anyio::fail_at!(past, { anyio::checkpoint().await }).is_err());
/// assert_eq!(anyio::fail_at!(past, { "ready at once" }).unwrap(), "ready at once");
/// # }
/// ```
pub use anyio_macros::fail_at;

/// Runs a block that cancellations from outside wait for; gives its value.
///
/// ```text
/// shield!({ … })
/// shield!(future)
/// ```
///
/// The block is part of the surrounding function. Scopes and timeouts inside work as ever: put one in, if it
/// could hang. [When not to shield](crate::manual::cancellation#when-not-to-shield).
///
/// # Cancel safety
///
/// Dropped from outside (a foreign `select!`, an aborted tokio task), the block is dropped where it stands. That
/// is reported through `tracing` and counted ([`lost_clean_ups`](crate::lost_clean_ups)).
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let mut steps = 0;
/// let timed_out = anyio::move_on_after!(1ms, {
///     anyio::shield!({
///         anyio::sleep(std::time::Duration::from_millis(3)).await;
///         steps += 1;
///     });
///     anyio::checkpoint().await; // cancelled here
///     steps += 1;
/// });
/// assert!(timed_out.is_none());
/// assert_eq!(steps, 1);
/// # }
/// ```
pub use anyio_macros::shield;

/// Makes an `async fn` one that cancellations from outside wait for, as if its body were in
/// [`shield!`](crate::shield!).
///
/// Goes on functions and methods, also on those of traits that have a body, and inside `#[async_trait]`.
///
/// ```
/// #[anyio::shielded]
/// async fn commit(log: &mut Vec<&'static str>) -> Result<(), std::io::Error> {
///     anyio::checkpoint().await;
///     log.push("committed");
///     Ok(())
/// }
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut log = Vec::new();
/// let done = anyio::move_on_at!(anyio::current_time(), { commit(&mut log).await.unwrap() });
/// assert_eq!(done, Some(())); // a result is never thrown away
/// assert_eq!(log, ["committed"]);
/// # }
/// ```
pub use anyio_macros::shielded;

/// Runs a body, then a clean-up, however the body ended: by its end, by `?`, `return`, `break` or `continue`,
/// by a cancellation, by a panic.
///
/// ```text
/// finally!({ body }, { clean-up })
/// ```
///
/// Both may borrow the same variables. The clean-up is shielded; put a timeout in it if it could hang. It
/// cannot leave by `?`, `return`, `break` or `continue`, and gives `()`. After it, whatever ended the body goes on:
/// the value is given, a cancellation cancels, a panic panics.
///
/// # Panics
///
/// If the body or the clean-up does. Of both, the clean-up's panic goes on.
///
/// # Cancel safety
///
/// Dropped from outside (a foreign `select!`, an aborted tokio task), the body is dropped and the clean-up
/// does not run; Rust has no asynchronous drop. That is reported through `tracing` and counted
/// ([`lost_clean_ups`](crate::lost_clean_ups)).
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let mut log = Vec::new();
/// let timed_out = anyio::move_on_after!(1ms, {
///     anyio::finally!({
///         log.push("working");
///         anyio::sleep_forever().await;
///     }, {
///         anyio::checkpoint().await;
///         log.push("cleaned up");
///     })
/// });
/// assert!(timed_out.is_none());
/// assert_eq!(log, ["working", "cleaned up"]);
/// # }
/// ```
pub use anyio_macros::finally;

/// Enters an [`AsyncContextManager`](crate::AsyncContextManager), runs a block with what it gives, and leaves it
/// however the block ended.
///
/// ```text
/// with!(name = manager, { … })
/// ```
///
/// `name`, which may be a pattern, is a `&mut` to the resource. Leaving is awaited and shielded, and knows how the
/// block ended. Entering is not shielded; if it is cancelled, there is nothing to leave. The
/// [manual](crate::manual::contextmanagers) says how to write managers.
///
/// # Cancel safety
///
/// Dropped from outside, the block and the resource are dropped, and leaving does not run; see
/// [`finally!`](crate::finally!).
///
/// ```
/// use anyio::AsyncResource;
///
/// struct Connection { open: bool }
///
/// impl AsyncResource for Connection {
///     async fn aclose(&mut self) {
///         anyio::checkpoint().await;
///         self.open = false;
///     }
/// }
///
/// async fn talk() -> Result<usize, String> {
///     anyio::with!(connection = Connection { open: true }, {
///         if !connection.open {
///             return Err("closed".into()); // the connection is closed on the way out
///         }
///         Ok(5)
///     })
/// }
///
/// # #[anyio::main]
/// # async fn main() { assert_eq!(talk().await, Ok(5)); }
/// ```
pub use anyio_macros::with;

/// Runs an `async fn main` on a backend.
///
/// ```text
/// #[anyio::main]
/// #[anyio::main(backend = tokio)]
/// #[anyio::main(backend = tokio(flavor = "current_thread"))]
/// #[anyio::main(backend = tokio(worker_threads = 4))]
/// #[anyio::main(backend = smol(threads = 2))]
/// ```
///
/// Without `backend` it is the first that is compiled in. To choose when the program runs, use
/// [`run`](crate::run()).
///
/// ```
/// #[anyio::main]
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     let n: u32 = "3".parse()?;
///     anyio::task_group!(|tg| {
///         for _ in 0..n {
///             tg.spawn(anyio::checkpoint());
///         }
///     });
///     Ok(())
/// }
/// ```
///
/// # Panics
///
/// If the backend cannot be run; see [`RunError`](crate::RunError).
pub use anyio_macros::main;

/// Makes an `async fn` a test on each backend.
///
/// ```text
/// #[anyio::test]
/// #[anyio::test(backends = [tokio, tokio(flavor = "current_thread"), smol(threads = 1)])]
/// #[anyio::test(timeout = 5s)]
/// ```
///
/// Expands to the function and a module of its name with one plain `#[test]` a backend, so `my_test` becomes
/// `my_test::tokio` and `my_test::smol` in the output, in filters and in editors. Without `backends` these are
/// all that are compiled in; one that is asked for and is not compiled in shows as ignored, with the reason.
/// `#[should_panic]` and `#[ignore]` go to each test, and it may return a `Result`.
///
/// With a `timeout`, a test that takes longer is cancelled, has five seconds to clean up, and fails.
///
/// ```
/// # #[allow(dead_code)]
/// #[anyio::test(timeout = 5s)]
/// async fn children_see_each_other() -> Result<(), std::num::ParseIntError> {
///     let n: u32 = "2".parse()?;
///     let total = anyio::task_group!(|tg| {
///         let doubled = tg.spawn(async { n * 2 });
///         tg.spawn(async { doubled.await + 1 }).await
///     });
///     assert_eq!(total, 5);
///     Ok(())
/// }
/// ```
pub use anyio_macros::test;

/// For `#[anyio::test]`: the first if the backend is compiled in, else the second.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "tokio")]
macro_rules! __when_tokio {
    ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($then)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "tokio"))]
macro_rules! __when_tokio {
    ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($otherwise)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "smol")]
macro_rules! __when_smol {
    ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($then)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "smol"))]
macro_rules! __when_smol {
    ({ $($then:tt)* } { $($otherwise:tt)* }) => { $($otherwise)* };
}
