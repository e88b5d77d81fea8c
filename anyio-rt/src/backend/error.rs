//! What can be wrong with the backend.

use std::error::Error;
use std::fmt;
use std::io;

use super::choice::available_backends;

/// There is no backend here: the call needs a clock, a timer, a task or a thread of a runtime, and none
/// is running around it.
///
/// ```
/// let error = anyio::try_current_time().unwrap_err();
/// assert!(error.to_string().contains("anyio::run"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoBackendError;

impl fmt::Display for NoBackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no async backend is running here; start one with `#[anyio::main]`, `#[anyio::test]` or \
             `anyio::run(backend, future)`, or call this from inside a tokio runtime \
             (on another thread, enter it first)",
        )
    }
}

impl Error for NoBackendError {}

/// Why [`run`](crate::run) did not run anything.
///
/// ```
/// use anyio::{Backend, RunError, run};
///
/// let inner = run(Backend::default(), async { run(Backend::default(), async {}) })?;
/// assert!(matches!(inner, Err(RunError::AlreadyRunning { .. })));
/// # Ok::<(), RunError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// This thread already runs a backend; await the future there instead of running another.
    AlreadyRunning {
        /// The name of the backend that runs here.
        backend: &'static str,
    },
    /// The backend is known but not compiled in; enable the Cargo feature of the same name.
    NotCompiledIn {
        /// The name of the backend, which is also that of the feature.
        backend: &'static str,
    },
    /// The runtime could not be built, for example because a thread could not be started.
    Build(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRunning { backend } => write!(
                f,
                "the backend `{backend}` is already running in this thread; `.await` the future \
                 there, or run it from a thread of its own"
            ),
            Self::NotCompiledIn { backend } => {
                write!(
                    f,
                    "the backend `{backend}` is not compiled in; enable the feature `{backend}` of `anyio`"
                )?;
                match available_backends() {
                    [] => Ok(()),
                    some => write!(f, " (compiled in: {})", some.join(", ")),
                }
            }
            Self::Build(error) => write!(f, "the runtime could not be built: {error}"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::AlreadyRunning { .. } | Self::NotCompiledIn { .. } => None,
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Build(error)
    }
}
