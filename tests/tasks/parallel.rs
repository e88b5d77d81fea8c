//! Parallel children, threads, and wakers that live longer than the group.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use anyio::{
    TaskError, TaskState, cancel_scope, catch_cancelled, checkpoint, finally, local_task_group,
    shield, sleep_forever, task_group,
};
use futures::channel::{mpsc, oneshot};

use super::support::{Log, panic_of, settle};

#[anyio::test]
async fn a_parallel_child_gives_its_value_and_is_waited_for() {
    let ended = Arc::new(AtomicBool::new(false));
    let value = task_group!(|tg| {
        let child = tg.spawn_parallel(async {
            checkpoint().await;
            5
        });
        let ended = Arc::clone(&ended);
        tg.spawn_parallel(async move {
            settle().await;
            ended.store(true, Ordering::SeqCst);
        });
        child.await
    });
    assert_eq!(value, 5);
    assert!(ended.load(Ordering::SeqCst));
}

/// Both would wait for ever if they shared a thread.
#[anyio::test(backends = [tokio(worker_threads = 2), smol(threads = 2)])]
async fn parallel_children_really_run_at_the_same_time() {
    let barrier = Arc::new(Barrier::new(2));
    let threads = task_group!(|tg| {
        let children: Vec<_> = (0..2)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                tg.spawn_parallel(async move {
                    barrier.wait();
                    thread::current().id()
                })
            })
            .collect();
        let mut threads = HashSet::new();
        for child in children {
            threads.insert(child.await);
        }
        threads
    });
    assert_eq!(threads.len(), 2);
}

#[anyio::test]
async fn borrowing_children_run_on_the_thread_of_their_host() {
    task_group!(|tg| {
        let child = tg.spawn(async { thread::current().id() });
        // In one pass of the group.
        assert_eq!(child.await, thread::current().id());
    });
}

#[anyio::test]
async fn a_parallel_child_that_fails_cancels_the_rest() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        tg.spawn(async {
            let _guard = log.when_dropped("sibling dropped");
            sleep_forever().await;
            Ok(())
        });
        tg.spawn_parallel(async {
            checkpoint().await;
            Err::<(), _>("the parallel child")
        });
        std::future::pending().await
    });
    assert_eq!(result.unwrap_err().into_first(), "the parallel child");
    assert_eq!(log.entries(), ["sibling dropped"]);
}

#[anyio::test]
async fn parallel_children_are_cancelled_with_the_group_and_clean_up() {
    let cleaned_up = Arc::new(AtomicU32::new(0));
    task_group!(|tg| {
        let (ready, mut is_ready) = mpsc::unbounded();
        for _ in 0..5 {
            let (cleaned_up, ready) = (Arc::clone(&cleaned_up), ready.clone());
            tg.spawn_parallel(async move {
                finally!(
                    {
                        ready.unbounded_send(()).unwrap();
                        sleep_forever().await;
                    },
                    {
                        settle().await;
                        cleaned_up.fetch_add(1, Ordering::SeqCst);
                    }
                );
            });
        }
        for _ in 0..5 {
            futures::StreamExt::next(&mut is_ready).await.unwrap();
        }
        tg.cancel();
    });
    assert_eq!(cleaned_up.load(Ordering::SeqCst), 5);
}

#[anyio::test]
async fn a_new_parallel_child_of_a_cancelled_group_runs_to_its_first_suspension() {
    let started = Arc::new(AtomicU32::new(0));
    task_group!(|tg| {
        tg.cancel();
        let started = Arc::clone(&started);
        tg.spawn_parallel(async move {
            started.store(1, Ordering::SeqCst);
            checkpoint().await;
            started.store(2, Ordering::SeqCst);
        });
    });
    assert_eq!(started.load(Ordering::SeqCst), 1);
}

#[anyio::test]
async fn a_parallel_child_is_cancelled_from_further_out() {
    let log = Arc::new(Log::default());
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            let (ready, is_ready) = oneshot::channel();
            let log = Arc::clone(&log);
            tg.spawn_parallel(async move {
                ready.send(()).unwrap();
                let caught = catch_cancelled(sleep_forever()).await;
                log.note(format!("caught {}", caught.is_err()));
                // Cancelled again.
                checkpoint().await;
                log.note("never");
            });
            is_ready.await.unwrap();
            scope.cancel();
        });
    });
    assert!(ended.is_err());
    assert_eq!(log.entries(), ["caught true"]);
}

#[anyio::test]
async fn a_parallel_child_can_be_cancelled_alone() {
    task_group!(|tg| {
        let child = tg.spawn_parallel(sleep_forever());
        let other = tg.spawn_parallel(async {
            settle().await;
            "other"
        });
        child.cancel();
        assert!(matches!(
            child.status(),
            TaskState::Cancelling | TaskState::Cancelled
        ));
        child.wait().await;
        assert_eq!(child.status(), TaskState::Cancelled);
        assert_eq!(child.join().await, Err(TaskError::Cancelled));
        assert_eq!(other.await, "other");
    });
}

#[anyio::test]
async fn groups_nest_in_parallel_children() {
    let sum = task_group!(|tg| {
        let children: Vec<_> = (0..4u32)
            .map(|n| {
                tg.spawn_parallel(async move {
                    let numbers = [n, n * 10];
                    task_group!(|inner| {
                        let handles = numbers.each_ref().map(|number| {
                            inner.spawn(async move {
                                checkpoint().await;
                                *number
                            })
                        });
                        let mut sum = 0;
                        for handle in handles {
                            sum += handle.await;
                        }
                        sum + inner.spawn_parallel(async { 1 }).await
                    })
                })
            })
            .collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        sum
    });
    assert_eq!(sum, 6 + 60 + 4);
}

#[anyio::test]
async fn a_local_group_has_parallel_children_too() {
    let local = std::rc::Rc::new(1);
    let sum = local_task_group!(|tg| {
        let here = tg.spawn(async { *local });
        let elsewhere = tg.spawn_parallel(async { 2 });
        here.await + elsewhere.await
    });
    assert_eq!(sum, 3);
}

#[anyio::test]
async fn the_value_of_a_parallel_child_that_nobody_asks_for_is_dropped() {
    let counted = Arc::new(());
    task_group!(|tg| {
        for _ in 0..10 {
            let counted = Arc::clone(&counted);
            drop(tg.spawn_parallel(async move { counted }));
        }
        let counted = Arc::clone(&counted);
        let kept = tg.spawn_parallel(async move { counted });
        kept.wait().await;
    });
    // A parallel child's own task may still be putting its memory away, but not the user's values.
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_parallel_child_needs_a_backend_and_says_so() {
    futures::executor::block_on(async {
        let text = panic_of(async {
            task_group!(|tg| {
                tg.spawn_parallel(async {});
            });
        })
        .await;
        assert!(
            text.starts_with("`spawn_parallel` starts a task, but"),
            "{text}"
        );
    });
}

#[anyio::test]
async fn a_handle_can_be_joined_from_a_parallel_part_of_another_group() {
    // The handle borrows nothing of the child but belongs to its group, so a joining task is inside it.
    let value = task_group!(|outer| {
        let child = outer.spawn_parallel(async {
            settle().await;
            String::from("value")
        });
        task_group!(|inner| {
            let joined = inner.spawn(child.join());
            shield!({ joined.await })
        })
    });
    assert_eq!(value.as_deref(), Ok("value"));
}
