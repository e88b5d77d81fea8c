//! A run inside a run.

use std::cell::Cell;
use std::error::Error as _;

use anyio::{Backend, RunError, checkpoint, current_task, task_group, to_thread, try_current_time};

use crate::support::{backends, work};

#[test]
fn run_inside_a_run_is_an_error_that_names_the_backend() {
    for outer in backends() {
        let name = outer.name();
        for inner in backends() {
            let ran = Cell::new(false);
            let error = anyio::run(outer.clone(), async {
                anyio::run(inner, async { ran.set(true) }).unwrap_err()
            });
            let error = error.unwrap();
            assert!(matches!(error, RunError::AlreadyRunning { backend } if backend == name));
            assert!(
                error
                    .to_string()
                    .contains(&format!("`{name}` is already running"))
            );
            assert!(error.to_string().contains("`.await` the future there"));
            assert!(error.source().is_none());
            assert!(!ran.get());
        }
    }
}

#[test]
fn run_inside_a_task_is_an_error() {
    for backend in backends() {
        anyio::run(backend, async {
            task_group!(|tg| {
                let nested = || async { anyio::run(Backend::default(), async {}).is_err() };
                assert!(tg.spawn(nested()).await);
                assert!(tg.spawn_parallel(nested()).await);
            });
        })
        .unwrap();
    }
}

#[cfg(feature = "tokio")]
#[test]
fn run_inside_a_task_of_tokio_is_an_error() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(async {
        tokio::spawn(async { anyio::run(Backend::smol(), async {}).unwrap_err() }).await
    });
    assert!(matches!(
        error.unwrap(),
        RunError::AlreadyRunning { backend: "tokio" }
    ));
}

#[test]
fn run_in_a_worker_thread_is_a_run_of_its_own() {
    for outer in backends() {
        for inner in backends() {
            let value = anyio::run(outer.clone(), async {
                to_thread::run_sync(|| anyio::run(inner, work())).await
            });
            assert_eq!(value.unwrap().unwrap(), 6);
        }
    }
}

#[test]
fn after_a_run_there_is_no_backend_left() {
    for backend in backends() {
        anyio::run(backend, checkpoint()).unwrap();
        assert!(try_current_time().is_err());
        assert!(current_task().is_err());
    }
}
