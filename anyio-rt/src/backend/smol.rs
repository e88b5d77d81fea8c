//! The smol backend: our own executor instance over async-executor, async-io and blocking.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use async_executor::Executor;
use async_io::Timer;

use super::choice::Smol;
use super::env::{Env, Kind};
use super::error::RunError;
use crate::util::sync::{Mutex, lock};

/// Runs the future that `make` gives to its end.
pub(super) fn block_on<F: Future>(
    options: Smol,
    make: impl FnOnce(Env) -> F,
) -> Result<F::Output, RunError> {
    let threads = match (&options.executor, options.threads) {
        (_, Some(threads)) => threads.get(),
        (Some(_), None) => 1,
        (None, None) => thread::available_parallelism()?.get(),
    };
    let executor = options.executor.unwrap_or_default();
    let stop = Arc::new(Stop::default());
    let workers = Workers {
        stop: Arc::clone(&stop),
        threads: Vec::new(),
    };
    let workers = (1..threads).try_fold(workers, |mut workers, n| {
        let (executor, stop) = (Arc::clone(&executor), Arc::clone(&stop));
        let worker = thread::Builder::new().name(format!("anyio-smol-{n}"));
        workers.threads.push(
            worker.spawn(move || async_io::block_on(executor.run(poll_fn(|cx| stop.poll(cx)))))?,
        );
        Ok::<_, RunError>(workers)
    })?;
    let env = Env::new(Kind::Smol(Arc::clone(&executor)));
    let output = async_io::block_on(executor.run(make(env)));
    drop(workers);
    Ok(output)
}

/// The worker threads of one run; dropping it stops and joins them, also when the main future panics.
struct Workers {
    stop: Arc<Stop>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.stop();
        for thread in self.threads.drain(..) {
            // A worker panics only if a foreign task on a caller's executor did; that has been
            // reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// Tells the worker threads that the run is over.
#[derive(Default)]
struct Stop {
    state: Mutex<(bool, Vec<Waker>)>,
}

impl Stop {
    fn stop(&self) {
        let wakers = {
            let mut state = lock(&self.state);
            state.0 = true;
            std::mem::take(&mut state.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.0 {
            return Poll::Ready(());
        }
        if !state.1.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.1.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The clock that async-io's timers go by.
pub(super) fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods)] // this is what groups spawn with
pub(super) fn spawn(
    executor: &Executor<'static>,
    future: impl Future<Output = ()> + Send + 'static,
) {
    executor.spawn(future).detach();
}

#[allow(clippy::disallowed_methods)] // this is what `run_sync` calls
pub(super) fn spawn_blocking(f: impl FnOnce() + Send + 'static) {
    blocking::unblock(f).detach();
}

/// A timer for one deadline.
pub(super) type RawTimer = Timer;

pub(super) fn timer(deadline: Instant) -> RawTimer {
    Timer::at(deadline)
}

pub(super) fn poll_timer(timer: Pin<&mut RawTimer>, cx: &mut Context<'_>) -> Poll<()> {
    timer.poll(cx).map(drop)
}

pub(super) fn reset_timer(mut timer: Pin<&mut RawTimer>, deadline: Instant) {
    timer.set_at(deadline);
}

/// Whether a timer for `deadline` went off, without polling it.
pub(super) fn timer_fired(deadline: Instant) -> bool {
    now() >= deadline
}
