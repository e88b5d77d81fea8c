//! Backends, by name and with options.

use std::error::Error as _;
use std::sync::Arc;
use std::thread::ThreadId;

use anyio::{Backend, RunError, checkpoint, task_group};

use crate::support::{compiled_in, work};

#[test]
fn backends_are_known_by_name() {
    assert_eq!(anyio::all_backends(), ["tokio", "smol"]);
    let mut features = Vec::new();
    if cfg!(feature = "tokio") {
        features.push("tokio");
    }
    if cfg!(feature = "smol") {
        features.push("smol");
    }
    assert_eq!(anyio::available_backends(), features);
    for name in anyio::available_backends() {
        let backend: Backend = name.parse().unwrap();
        assert_eq!(backend.name(), *name);
        assert_eq!(anyio::run(backend, work()).unwrap(), 6);
    }
    assert_eq!(Backend::default().name(), features[0]);
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
    let error = "curio".parse::<Backend>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown backend `curio`; there are: tokio, smol"
    );
    assert!("Tokio".parse::<Backend>().is_err());
    assert!("".parse::<Backend>().is_err());
}

#[test]
fn the_current_thread_flavour_runs_all_tasks_on_the_calling_thread() {
    for backend in compiled_in([
        Backend::tokio().current_thread().into(),
        Backend::smol().threads(1).into(),
    ]) {
        let here = std::thread::current().id();
        let seen: Vec<ThreadId> = anyio::run(backend, async {
            task_group!(|tg| {
                let tasks: Vec<_> = (0..4)
                    .map(|_| {
                        tg.spawn_parallel(async {
                            checkpoint().await;
                            std::thread::current().id()
                        })
                    })
                    .collect();
                let mut seen = Vec::new();
                for task in tasks {
                    seen.push(task.await);
                }
                seen
            })
        })
        .unwrap();
        assert!(seen.iter().all(|&thread| thread == here));
    }
}

#[test]
fn with_two_threads_two_tasks_run_at_once() {
    for backend in compiled_in([
        Backend::tokio().worker_threads(2).into(),
        Backend::smol().threads(3).into(),
    ]) {
        anyio::run(backend, async {
            let barrier = Arc::new(std::sync::Barrier::new(2));
            task_group!(|tg| {
                for _ in 0..2 {
                    let barrier = Arc::clone(&barrier);
                    // Blocks its thread until the other one is there, too.
                    tg.spawn_parallel(async move { barrier.wait() });
                }
            });
        })
        .unwrap();
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_runtime_of_tokio_that_the_caller_built_is_used_and_left_usable() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("of the caller")
        .enable_all()
        .build()
        .unwrap();
    let runtime = Arc::new(runtime);
    let backend = Backend::tokio().runtime(Arc::clone(&runtime));
    let name = anyio::run(backend, async {
        assert_eq!(work().await, 6);
        task_group!(|tg| {
            tg.spawn_parallel(async { std::thread::current().name().map(str::to_owned) })
                .await
        })
    });
    assert_eq!(name.unwrap().as_deref(), Some("of the caller"));
    assert_eq!(runtime.block_on(work()), 6);
}

#[cfg(feature = "smol")]
#[test]
fn an_executor_that_the_caller_built_is_used_and_left_usable() {
    let executor = Arc::new(async_executor::Executor::new());
    let foreign = executor.spawn(async { 5 });
    let backend = Backend::smol().executor(Arc::clone(&executor));
    let (ours, foreign) = anyio::run(backend, async { (work().await, foreign.await) }).unwrap();
    assert_eq!((ours, foreign), (6, 5));
    let later = executor.spawn(async { 7 });
    assert_eq!(futures::executor::block_on(executor.run(later)), 7);
}

#[cfg(feature = "smol")]
#[test]
fn an_executor_that_the_caller_drives_on_threads_of_their_own_may_be_shared() {
    let executor = Arc::new(async_executor::Executor::new());
    let (stop, stopped) = async_channel::bounded::<()>(1);
    std::thread::scope(|threads| {
        let driven = Arc::clone(&executor);
        threads.spawn(move || futures::executor::block_on(driven.run(stopped.recv())));
        let backend = Backend::smol().executor(Arc::clone(&executor));
        assert_eq!(anyio::run(backend, work()).unwrap(), 6);
        drop(stop);
    });
}

#[test]
fn options_that_cannot_be_are_refused_at_once() {
    let refused = |f: fn()| std::panic::catch_unwind(f).is_err();
    assert!(refused(|| drop(Backend::tokio().worker_threads(0))));
    assert!(refused(|| drop(Backend::smol().threads(0))));
    assert!(refused(|| drop(
        Backend::tokio().current_thread().worker_threads(2)
    )));
    assert!(!refused(|| drop(
        Backend::tokio().current_thread().worker_threads(1)
    )));
}

#[test]
fn run_errors_that_come_from_below_keep_their_source() {
    let error = RunError::from(std::io::Error::other("no threads"));
    assert_eq!(
        error.to_string(),
        "the runtime could not be built: no threads"
    );
    assert_eq!(error.source().unwrap().to_string(), "no threads");
}
