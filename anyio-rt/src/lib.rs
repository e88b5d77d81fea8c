//! The runtime half of [`anyio`](https://docs.rs/anyio): the semantics that its macros expand into.
//!
//! Depend on `anyio`, not on this crate: it re-exports everything here and adds the macros.
//!
//! The rooms are on floors; imports go down only (`ARCHITECTURE.md`, checked by a test):
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | `util`, `error` |
//! | 1 | `backend` |
//! | 2 | `scope` |
//! | 3 | `task`, `time`, `resource` |
//! | 4 | `run`, `gather`, `thread` |
//! | 5 | `testing` |
//! | ceiling | `__private` |

// `expect("why it cannot fail")` for a local invariant, `?` for the rest.
#![warn(clippy::unwrap_used)]
// Without a backend there is nothing to choose from; libraries may still compile against this crate.
#![cfg_attr(
    not(any(feature = "tokio", feature = "smol")),
    allow(
        dead_code,
        unreachable_code,
        unused_variables,
        clippy::needless_pass_by_value
    )
)]

mod backend;
mod error;
mod gather;
mod resource;
mod run;
mod scope;
mod task;
mod testing;
mod thread;
mod time;
mod util;

#[doc(hidden)]
pub mod __private;

pub use backend::{
    Backend, NoBackendError, RunError, Smol, Tokio, UnknownBackendError, all_backends,
    available_backends,
};
pub use error::{ErrorGroup, Iter};
pub use gather::{
    AsCompleted, Gather, TryGather, amap, amap_limited, as_completed, gather, try_amap,
    try_amap_limited, try_gather,
};
pub use resource::{AsyncContextManager, AsyncResource, Outcome, aclose_forcefully};
pub use run::run;
pub use scope::{
    CancelScope, CancelShieldedCheckpoint, Cancelled, CatchCancelled, Checkpoint,
    CheckpointIfCancelled, EffectiveDeadline, FailAfter, MoveOn, ResumeCancelled, ScopeHandle,
    Scoped, Shielded, TimeoutError, cancel_shielded_checkpoint, catch_cancelled, checkpoint,
    checkpoint_if_cancelled, current_effective_deadline, fail_after, fail_at, move_on_after,
    move_on_at, resume_cancelled, shield,
};
pub use task::{
    CancelValue, Drive, DriveMode, Fallible, Group, Join, Local, LocalSpawner, LocalTaskGroup,
    Mode, Plain, Spawner, Start, StartError, TaskError, TaskGroup, TaskGroupStatistics, TaskHandle,
    TaskInfo, TaskState, TaskStatus, Threaded, Wait, current_task,
};
pub use thread::{RunSync, run_sync};
pub use time::{
    Sleep, SleepForever, current_time, sleep, sleep_forever, sleep_until, try_current_time,
};
pub use util::report::{further_panics, lost_clean_ups};
