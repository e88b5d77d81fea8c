//! The backend that serves a call: found per call, never compiled in.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::error::NoBackendError;
use crate::util::sync::{Mutex, lock};

thread_local! {
    static CURRENT: RefCell<Option<Env>> = const { RefCell::new(None) };
    /// Whether a call of [`Env::spawn_blocking`] runs on this thread. To tokio, that is a task like any other.
    static IN_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// The tasks in runtimes that were started without us; nobody waits for these.
#[cfg(feature = "tokio")]
static ADOPTED: std::sync::LazyLock<Arc<Tasks>> = std::sync::LazyLock::new(Arc::default);

/// One running backend, and what belongs to this run of it.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    kind: Kind,
    tasks: Arc<Tasks>,
}

/// Which backend, and nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tag {
    #[cfg(feature = "tokio")]
    Tokio,
    #[cfg(feature = "smol")]
    Smol,
    /// No backend is compiled in.
    #[cfg(not(any(feature = "tokio", feature = "smol")))]
    Never(std::convert::Infallible),
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Handle),
    #[cfg(feature = "smol")]
    Smol(Arc<async_executor::Executor<'static>>),
    /// No backend is compiled in.
    #[cfg(not(any(feature = "tokio", feature = "smol")))]
    Never(std::convert::Infallible),
}

impl Env {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            tasks: Arc::default(),
        }
    }

    /// The environment around this call.
    pub(crate) fn current() -> Result<Self, NoBackendError> {
        CURRENT
            .with_borrow(|env| env.clone())
            .map_or_else(Self::adopted, Ok)
    }

    /// A runtime that was started without us.
    fn adopted() -> Result<Self, NoBackendError> {
        #[cfg(feature = "tokio")]
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return Ok(Self {
                kind: Kind::Tokio(handle),
                tasks: Arc::clone(&ADOPTED),
            });
        }
        Err(NoBackendError)
    }

    /// Runs `f`, a poll of a task of this environment, with `slot`'s environment as the current one.
    pub(crate) fn enter<R>(slot: &mut Option<Self>, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a mut Option<Env>);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
            }
        }
        // Swapped in and out: no reference count is touched.
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, slot));
        let _restore = Restore(slot);
        f()
    }

    /// The name of the backend that runs in this thread, whether we started it or not.
    pub(crate) fn running() -> Option<&'static str> {
        let ours = CURRENT.with_borrow(|env| env.as_ref().map(Self::name));
        #[cfg(feature = "tokio")]
        if ours.is_none() && !IN_WORKER.get() {
            return super::tokio::running();
        }
        ours
    }

    /// Which backend is around this call, without touching its reference counts.
    #[inline]
    pub(super) fn tag() -> Result<Tag, NoBackendError> {
        if let Some(tag) = CURRENT.with_borrow(|env| env.as_ref().map(Self::tag_here)) {
            return Ok(tag);
        }
        #[cfg(feature = "tokio")]
        if super::tokio::is_current() {
            return Ok(Tag::Tokio);
        }
        Err(NoBackendError)
    }

    #[inline]
    fn tag_here(&self) -> Tag {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(_) => Tag::Tokio,
            #[cfg(feature = "smol")]
            Kind::Smol(_) => Tag::Smol,
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Kind::Never(never) => match never {},
        }
    }

    fn name(&self) -> &'static str {
        match self.tag_here() {
            #[cfg(feature = "tokio")]
            Tag::Tokio => "tokio",
            #[cfg(feature = "smol")]
            Tag::Smol => "smol",
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Tag::Never(never) => match never {},
        }
    }

    /// The time on the clock that the timers of the backend around this call go by.
    #[inline]
    pub(crate) fn now() -> Result<Instant, NoBackendError> {
        Ok(match Self::tag()? {
            #[cfg(feature = "tokio")]
            Tag::Tokio => super::tokio::now(),
            #[cfg(feature = "smol")]
            Tag::Smol => super::smol::now(),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Tag::Never(never) => match never {},
        })
    }

    /// Starts a task that may run on any thread of the backend.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match &self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle) => super::tokio::spawn(handle, future),
            #[cfg(feature = "smol")]
            Kind::Smol(executor) => super::smol::spawn(executor, future),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Kind::Never(never) => match *never {},
        }
    }

    /// Runs `f` on a thread of the backend's blocking pool.
    pub(crate) fn spawn_blocking(&self, f: impl FnOnce() + Send + 'static) {
        let f = move || in_worker(f);
        match &self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle) => super::tokio::spawn_blocking(handle, f),
            #[cfg(feature = "smol")]
            Kind::Smol(_) => super::smol::spawn_blocking(f),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Kind::Never(never) => match *never {},
        }
    }

    /// A task was started here.
    pub(crate) fn task_started(&self) {
        self.tasks.count.fetch_add(1, Ordering::Relaxed);
    }

    /// A task that was started here has ended.
    pub(crate) fn task_ended(&self) {
        if self.tasks.count.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(waker) = lock(&self.tasks.waiting).take()
        {
            waker.wake();
        }
    }

    /// Ready once all tasks that were started here have ended.
    pub(crate) fn poll_idle(&self, cx: &Context<'_>) -> Poll<()> {
        self.tasks.poll_none(cx)
    }

    /// The error of a call that needs an environment and has none.
    pub(crate) const fn none() -> NoBackendError {
        NoBackendError
    }
}

/// Runs `f`, a blocking call, in which a run of its own may be started.
fn in_worker(f: impl FnOnce()) {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_WORKER.set(false);
        }
    }
    IN_WORKER.set(true);
    let _restore = Restore;
    f();
}

/// The reaper: counts the tasks that a run has started, so that it can wait for the last.
///
/// A group waits for its parallel children. Those whose group was dropped from outside are polled to their
/// end by the backend all the same; what is left to do is to wait for them at the end of the run.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    count: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Tasks {
    fn poll_none(&self, cx: &Context<'_>) -> Poll<()> {
        *lock(&self.waiting) = Some(cx.waker().clone());
        if self.count.load(Ordering::Acquire) == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
