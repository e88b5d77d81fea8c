//! Names of tasks.

use std::fmt;
use std::sync::Arc;

/// The name of a task: given, or that of the function its future was made by.
#[derive(Clone, Debug)]
pub(crate) enum TaskName {
    Given(Arc<str>),
    Type(&'static str),
}

impl TaskName {
    /// The name of the function that made a future of type `F`.
    pub(crate) fn of<F: ?Sized>() -> Self {
        Self::Type(std::any::type_name::<F>())
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(name) => f.write_str(name),
            // `path::function::{{closure}}` is how the compiler names the future of an `async fn` or
            // of an `async` block in it.
            Self::Type(name) => f.write_str(name.trim_end_matches("::{{closure}}")),
        }
    }
}
