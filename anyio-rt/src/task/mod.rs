//! Task groups: children that end before the block that started them.
//!
//! * [`drive`] is the future of a group and has the argument why children may borrow; it is generic over
//!   the group's types and does little: [`driver`] polls and ends members, behind erased types.
//! * A child is one allocation: [`header`] is what everybody sees of it, [`child`] the typed rest,
//!   [`state`] its life in one atomic word.
//! * [`shared`] has the queues and lists; [`ready`] the lock-free part of them.
//! * [`group`], [`spawner`], [`handle`], [`start`] and [`parallel`] are what users hold and call.

mod child;
mod drive;
mod driver;
mod group;
mod handle;
mod header;
mod info;
mod mode;
mod parallel;
mod ready;
mod shared;
mod spawner;
mod start;
mod state;

pub use drive::{Drive, DriveMode};
pub(crate) use group::Carrier;
pub use group::{CancelValue, Group, Local, LocalTaskGroup, TaskGroup, Threaded};
pub(crate) use handle::Waiting;
pub use handle::{Join, TaskError, TaskHandle, TaskState, Wait};
pub use info::{TaskInfo, current_task};
pub use mode::{Fallible, Mode, Plain};
pub use spawner::{LocalSpawner, Spawner, TaskGroupStatistics};
pub use start::{Start, StartError, TaskStatus};
