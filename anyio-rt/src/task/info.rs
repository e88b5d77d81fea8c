//! Who is running.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::backend::{Env, NoBackendError};
use crate::scope::frame;

/// What is known of a task, from [`current_task`]. Two are equal if they are of the same task.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    id: u64,
    parent_id: Option<u64>,
    name: String,
}

impl TaskInfo {
    /// The number of the task, which no other task in this process has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The task that the group of this task is in. For a task that is being waited for by
    /// [`start`](crate::Spawner::start), the waiting one.
    #[must_use]
    pub fn parent_id(&self) -> Option<u64> {
        self.parent_id
    }

    /// The name of the task: given, or that of the function that made its future.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl PartialEq for TaskInfo {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for TaskInfo {}

impl Hash for TaskInfo {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} `{}`", self.id, self.name)
    }
}

/// The task that runs now: the innermost that this crate started.
///
/// # Errors
///
/// [`NoBackendError`] outside the tasks that this crate started, for example in the main function of a
/// program that was started by `#[tokio::main]`.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// anyio::task_group!(|tg| {
///     let main = anyio::current_task().unwrap();
///     tg.spawn(async move {
///         let child = anyio::current_task().unwrap();
///         assert_eq!(child.name(), "reader");
///         assert_eq!(child.parent_id(), Some(main.id()));
///     })
///     .named("reader");
/// });
/// # }
/// ```
pub fn current_task() -> Result<TaskInfo, NoBackendError> {
    frame::top(|top| {
        let task = top.and_then(|top| top.task())?;
        Some(TaskInfo {
            id: task.id(),
            parent_id: task.parent_id(),
            name: task.name().to_string(),
        })
    })
    .ok_or_else(Env::none)
}
