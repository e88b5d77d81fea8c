//! Structured concurrency for async Rust, on tokio and smol.
//!
//! * **Task groups** whose children *borrow* from the function that opened them, and have ended when
//!   the group has: [`task_group!`].
//! * **Cancel scopes and timeouts** over any future, with *shields* and asynchronous *clean-up*:
//!   [`move_on_after!`], [`fail_after!`], [`cancel_scope!`], [`shield!`], [`finally!`], [`with!`].
//! * **One API over two runtimes**, chosen at run time, with no type parameter in your signatures; and
//!   tests that run on both: [`#[anyio::test]`](macro@test).
//!
//! ```
//! use anyio::{ErrorGroup, fail_after, task_group};
//!
//! async fn word_count(text: &str) -> Result<usize, String> {
//!     if text.is_empty() { Err("an empty text".into()) } else { Ok(text.split(' ').count()) }
//! }
//!
//! #[anyio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let texts = vec!["structured concurrency".to_owned(), "for all of us".to_owned()];
//!     let mut longest = String::new();
//!
//!     // The children borrow `texts`, the group ends when they have, and all of it within a second.
//!     let counts = fail_after!(1s, {
//!         task_group!(|tg| -> Result<_, String> {
//!             let counts: Vec<_> = texts.iter().map(|text| tg.spawn(word_count(text))).collect();
//!             tg.spawn(async {
//!                 longest = texts.iter().max_by_key(|text| text.len()).unwrap().clone();
//!                 Ok(())
//!             });
//!             let mut sum = 0;
//!             for count in counts {
//!                 sum += count.await;
//!             }
//!             Ok(sum)
//!         })?
//!     })?;
//!
//!     assert_eq!(counts, 6);
//!     assert_eq!(longest, "structured concurrency");
//!     Ok(())
//! }
//! ```
//!
//! # Where to start
//!
//! The [`manual`] has a page for each room: [basics](manual::basics), [tasks](manual::tasks),
//! [cancellation](manual::cancellation), [context managers](manual::contextmanagers). What differs from
//! Python's AnyIO, and why, is in [`manual::divergences`].
//!
//! | you want to | look at |
//! |---|---|
//! | run several things and wait for all | [`task_group!`], [`gather()`], [`amap()`], [`amap_limited()`] |
//! | …and stop at the first error | the annotated form, `task_group!(\|tg\| -> Result<_, E> { … })`, [`try_gather()`] |
//! | …and take the first result | [`TaskGroup::finish`], [`as_completed()`] |
//! | start a service and go on once it is ready | [`Spawner::start`] |
//! | use another core | [`Spawner::spawn_parallel`], [`to_thread::run_sync`] |
//! | limit the time | [`move_on_after!`] (gives `None`), [`fail_after!`] (gives an error) |
//! | cancel by hand | [`cancel_scope!`], [`TaskGroup::cancel`], [`TaskHandle::cancel`] |
//! | finish something whatever happens | [`shield!`], [`#[shielded]`](macro@shielded) |
//! | clean up asynchronously | [`finally!`], [`with!`], [`catch_cancelled()`] |
//! | begin inside a tokio program | nothing: all of it works under `#[tokio::main]` |
//!
//! # Two body forms
//!
//! A bare block `{ … }` is part of the surrounding function: `?`, `return`, `break` and `continue` mean
//! what they would mean in any block. A closure `|x| { … }` is a function of its own: `?` and `return` stay
//! inside it, and `break` cannot leave it. All macros await by themselves; the functions of the same names
//! ([`move_on_after()`], [`fail_after()`], [`shield()`]) are awaited like any other.
//!
//! Under another name than `anyio`, the crate is told to the macros first: `task_group!(crate = path, |tg| …)`.
//!
//! # Backends and features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tokio` | yes | the tokio backend |
//! | `smol` | yes | the smol backend: `async-executor`, `async-io` and `blocking` |
//! | `tracing` | no | events for what has no caller to be told to: lost clean-ups, further panics of a group |
//!
//! Features only add. Which backend runs is said at run time: by [`#[anyio::main]`](macro@main), [`run()`] or
//! [`#[anyio::test]`](macro@test). Inside a tokio runtime that was started otherwise, that one is used. How a
//! call finds its backend, and what needs none, is in the [manual](manual::basics#how-the-backend-is-found).
//!
//! # What it cannot do
//!
//! * Tasks that borrow run concurrently, in the task that opened their group, and not in parallel. For other
//!   cores there are tasks that own what they use ([`Spawner::spawn_parallel`]).
//! * Something else may drop a future in the middle of a shield or before its clean-up: a foreign `select!`, an
//!   aborted tokio task, a runtime that shuts down. That is [reported and counted](lost_clean_ups), and cannot
//!   be prevented.
//! * Code that never suspends cannot be cancelled.

#![forbid(unsafe_code)]

pub mod lowlevel;
mod macros;
pub mod manual;
pub mod to_thread;

pub use anyio_rt::{
    AsCompleted, AsyncContextManager, AsyncResource, Backend, CancelScope, CancelValue, Cancelled,
    CatchCancelled, EffectiveDeadline, ErrorGroup, FailAfter, Fallible, Gather, Iter, Join, Local,
    LocalSpawner, LocalTaskGroup, Mode, MoveOn, NoBackendError, Outcome, Plain, ResumeCancelled,
    RunError, ScopeHandle, Scoped, Shielded, Sleep, SleepForever, Smol, Spawner, Start, StartError,
    TaskError, TaskGroup, TaskGroupStatistics, TaskHandle, TaskInfo, TaskState, TaskStatus,
    Threaded, TimeoutError, Tokio, TryGather, UnknownBackendError, Wait, aclose_forcefully,
    all_backends, amap, amap_limited, as_completed, available_backends, catch_cancelled,
    checkpoint, current_effective_deadline, current_task, current_time, fail_after, fail_at,
    further_panics, gather, lost_clean_ups, move_on_after, move_on_at, resume_cancelled, run,
    shield, sleep, sleep_forever, sleep_until, try_amap, try_amap_limited, try_current_time,
    try_gather,
};
pub use macros::*;

#[doc(hidden)]
pub mod __private {
    pub use anyio_rt::__private::*;

    pub use crate::{__when_smol as when_smol, __when_tokio as when_tokio};
}
