//! `anyio::run`.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyio::{checkpoint, current_task, sleep, sleep_forever, task_group, try_current_time};

use crate::support::{SHORT, backends, work};

#[test]
fn run_gives_the_value_on_every_backend() {
    for backend in backends() {
        assert_eq!(anyio::run(backend, work()).unwrap(), 6);
    }
}

#[test]
fn run_takes_a_future_that_borrows_and_is_not_send() {
    for backend in backends() {
        let text = String::from("borrowed");
        let cell = Cell::new(0);
        let length = anyio::run(backend, async {
            checkpoint().await;
            cell.set(1);
            text.len()
        });
        assert_eq!((length.unwrap(), cell.get()), (8, 1));
    }
}

#[test]
fn an_error_is_a_value_like_any_other() {
    for backend in backends() {
        let ended = anyio::run(backend, async { "x".parse::<u32>() });
        assert!(ended.unwrap().is_err());
    }
}

#[test]
fn a_panic_passes_through_and_the_thread_can_run_again() {
    for backend in backends() {
        let again = backend.clone();
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
            anyio::run(backend, async {
                checkpoint().await;
                panic!("in main");
            })
        }));
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"in main"));
        assert!(try_current_time().is_err());
        assert_eq!(anyio::run(again, work()).unwrap(), 6);
    }
}

#[test]
fn the_main_task_has_a_name_and_no_parent() {
    async fn named_main() -> anyio::TaskInfo {
        current_task().unwrap()
    }
    for backend in backends() {
        let info = anyio::run(backend, named_main()).unwrap();
        assert!(info.name().contains("named_main"), "{}", info.name());
        assert_eq!(info.parent_id(), None);
    }
}

#[test]
fn run_waits_for_parallel_tasks_whose_group_was_dropped() {
    for backend in backends() {
        let ended = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ended);
        let group = async move {
            task_group!(|tg| {
                tg.spawn_parallel(async move {
                    anyio::finally!({ sleep_forever().await }, {
                        sleep(SHORT).await;
                        count.fetch_add(1, Ordering::Relaxed);
                    });
                });
                sleep_forever().await;
            });
        };
        anyio::run(backend, async {
            tokio::select! {
                () = group => {}
                () = sleep(SHORT) => {}
            }
        })
        .unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn two_runs_in_two_threads_do_not_meet() {
    std::thread::scope(|threads| {
        for backend in backends() {
            threads.spawn(|| assert_eq!(anyio::run(backend, work()).unwrap(), 6));
        }
    });
}
