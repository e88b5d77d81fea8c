//! Choosing a backend and its options, at run time.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::str::FromStr;

use super::error::RunError;

/// The names of all backends this crate knows, compiled in or not.
///
/// ```
/// assert_eq!(anyio::all_backends(), ["tokio", "smol"]);
/// ```
#[must_use]
pub const fn all_backends() -> &'static [&'static str] {
    &["tokio", "smol"]
}

/// The names of the backends that are compiled in.
///
/// ```
/// for name in anyio::available_backends() {
///     let backend: anyio::Backend = name.parse()?;
///     assert_eq!(anyio::run(backend, async { 1 + 1 })?, 2);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub const fn available_backends() -> &'static [&'static str] {
    match (cfg!(feature = "tokio"), cfg!(feature = "smol")) {
        (true, true) => &["tokio", "smol"],
        (true, false) => &["tokio"],
        (false, true) => &["smol"],
        (false, false) => &[],
    }
}

/// A backend to run on, with its options.
///
/// ```
/// use anyio::Backend;
///
/// let main = async { anyio::sleep(std::time::Duration::ZERO).await };
/// # #[cfg(feature = "tokio")]
/// anyio::run(Backend::tokio().worker_threads(2), main)?;
///
/// let by_name: Backend = "smol".parse()?;
/// assert_eq!(by_name.name(), "smol");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backend(Choice);

#[derive(Clone, Debug)]
// The options of a backend that is not compiled in are read by nobody.
#[cfg_attr(not(all(feature = "tokio", feature = "smol")), allow(dead_code))]
enum Choice {
    Tokio(Tokio),
    Smol(Smol),
}

impl Backend {
    /// tokio, with its multi-thread scheduler unless [`Tokio::current_thread`] says otherwise.
    pub const fn tokio() -> Tokio {
        Tokio {
            current_thread: false,
            worker_threads: None,
            #[cfg(feature = "tokio")]
            runtime: None,
        }
    }

    /// smol: an executor of our own over `async-executor`, `async-io` and `blocking`.
    pub const fn smol() -> Smol {
        Smol {
            threads: None,
            #[cfg(feature = "smol")]
            executor: None,
        }
    }

    /// The backend's name, one of [`all_backends`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.0 {
            Choice::Tokio(_) => "tokio",
            Choice::Smol(_) => "smol",
        }
    }

    /// Runs `make`'s future to its end on this backend, with the environment for its tasks.
    pub(crate) fn block_on<F: Future>(
        self,
        make: impl FnOnce(super::Env) -> F,
    ) -> Result<F::Output, RunError> {
        match self.0 {
            #[cfg(feature = "tokio")]
            Choice::Tokio(options) => super::tokio::block_on(options, make),
            #[cfg(feature = "smol")]
            Choice::Smol(options) => super::smol::block_on(options, make),
            #[cfg(not(all(feature = "tokio", feature = "smol")))]
            _ => {
                drop(make);
                Err(RunError::NotCompiledIn {
                    backend: self.name(),
                })
            }
        }
    }
}

/// The first backend that is compiled in; tokio if none is.
impl Default for Backend {
    fn default() -> Self {
        match available_backends() {
            ["smol"] => Self::smol().into(),
            _ => Self::tokio().into(),
        }
    }
}

/// Options of the tokio backend, from [`Backend::tokio`].
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to `anyio::run`"]
pub struct Tokio {
    pub(super) current_thread: bool,
    pub(super) worker_threads: Option<NonZeroUsize>,
    #[cfg(feature = "tokio")]
    pub(super) runtime: Option<std::sync::Arc<::tokio::runtime::Runtime>>,
}

impl Tokio {
    /// Runs everything on the calling thread.
    pub const fn current_thread(mut self) -> Self {
        self.current_thread = true;
        self
    }

    /// Runs tasks on this many threads; without it, as many as tokio chooses.
    ///
    /// # Panics
    ///
    /// If `count` is 0, or if [`current_thread`](Self::current_thread) was asked for and `count` is
    /// not 1.
    #[track_caller]
    pub fn worker_threads(mut self, count: usize) -> Self {
        assert!(
            !self.current_thread || count == 1,
            "the current-thread scheduler has one thread, not {count}"
        );
        self.worker_threads = Some(at_least_one(count));
        self
    }

    /// Runs on a runtime that the caller built; the other options have no effect then.
    ///
    /// There is no need for this in a program that has a runtime already: everything in this crate
    /// works inside `runtime.block_on(…)`, `#[tokio::main]` and tasks spawned there.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// let backend = anyio::Backend::tokio().runtime(runtime.into());
    /// assert_eq!(anyio::run(backend, async { 5 })?, 5);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn runtime(mut self, runtime: std::sync::Arc<::tokio::runtime::Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }
}

impl From<Tokio> for Backend {
    fn from(options: Tokio) -> Self {
        Self(Choice::Tokio(options))
    }
}

/// Options of the smol backend, from [`Backend::smol`].
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to `anyio::run`"]
pub struct Smol {
    pub(super) threads: Option<NonZeroUsize>,
    #[cfg(feature = "smol")]
    pub(super) executor: Option<std::sync::Arc<async_executor::Executor<'static>>>,
}

impl Smol {
    /// Runs tasks on this many threads, the calling one included; without it, one a core.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[track_caller]
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(at_least_one(count));
        self
    }

    /// Runs on an executor that the caller built and perhaps also drives on threads of its own.
    ///
    /// The calling thread drives it as well, and no further threads are started unless
    /// [`threads`](Self::threads) asks for them.
    ///
    /// ```
    /// # #[cfg(feature = "smol")] {
    /// use std::sync::Arc;
    ///
    /// let executor = Arc::new(async_executor::Executor::new());
    /// let task = executor.spawn(async { 5 }); // one that knows nothing of this crate
    /// let backend = anyio::Backend::smol().executor(Arc::clone(&executor));
    /// assert_eq!(anyio::run(backend, task)?, 5);
    /// # }
    /// # Ok::<(), anyio::RunError>(())
    /// ```
    #[cfg(feature = "smol")]
    pub fn executor(mut self, executor: std::sync::Arc<async_executor::Executor<'static>>) -> Self {
        self.executor = Some(executor);
        self
    }
}

impl From<Smol> for Backend {
    fn from(options: Smol) -> Self {
        Self(Choice::Smol(options))
    }
}

#[track_caller]
fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("a backend needs at least one thread")
}

/// The name given is no backend's.
///
/// ```
/// let error = "trio".parse::<anyio::Backend>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown backend `trio`; there are: tokio, smol");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownBackendError {
    name: String,
}

impl fmt::Display for UnknownBackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown backend `{}`; there are: {}",
            self.name,
            all_backends().join(", ")
        )
    }
}

impl Error for UnknownBackendError {}

/// A backend by name, with default options. Whether it is compiled in shows when it is run.
impl FromStr for Backend {
    type Err = UnknownBackendError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "tokio" => Ok(Self::tokio().into()),
            "smol" => Ok(Self::smol().into()),
            _ => Err(UnknownBackendError {
                name: name.to_owned(),
            }),
        }
    }
}
