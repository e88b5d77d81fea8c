//! Starting a child and waiting until it says that it has started.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Mutex;

use anyio::{
    Spawner, StartError, TaskError, TaskState, TaskStatus, cancel_scope, checkpoint, current_task,
    sleep_forever, task_group,
};
use futures::channel::oneshot;

use super::support::{Log, settle};

#[anyio::test]
async fn start_gives_the_value_and_a_handle() {
    async fn add(one: u32, other: u32, status: TaskStatus<u32>) -> u32 {
        status.started(3);
        checkpoint().await;
        one + other
    }

    task_group!(|tg| {
        let (value, handle) = tg.start(|status| add(4, 5, status)).await.unwrap();
        assert_eq!(value, 3);
        assert_eq!(handle.status(), TaskState::Pending);
        assert_eq!(handle.await, 9);
    });
}

#[anyio::test]
async fn start_without_a_value_gives_the_unit() {
    async fn service(status: TaskStatus) {
        status.started(());
    }

    task_group!(|tg| {
        let ((), handle) = tg.start(service).await.unwrap();
        assert_eq!(handle.join().await, Ok(()));
    });
}

#[anyio::test]
async fn start_waits_until_the_child_says_so() {
    let log = Log::default();
    task_group!(|tg| {
        tg.start(|status: TaskStatus| async {
            settle().await;
            log.note("ready");
            status.started(());
            settle().await;
            log.note("ended");
        })
        .await
        .unwrap();
        log.note("started");
    });
    assert_eq!(log.entries(), ["ready", "started", "ended"]);
}

#[anyio::test]
async fn the_same_function_can_be_spawned_with_an_ignored_status() {
    async fn service(status: TaskStatus<u32>, log: &Log) {
        status.started(5);
        log.note("served");
    }

    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(service(TaskStatus::ignored(), &log));
        let (value, _handle) = tg.start(|status| service(status, &log)).await.unwrap();
        assert_eq!(value, 5);
    });
    assert_eq!(log.entries().len(), 2);
}

#[anyio::test]
async fn an_error_before_started_is_the_callers_and_the_group_is_not_touched() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let sibling = tg.spawn(async {
            settle().await;
            Ok("sibling")
        });
        let error = tg
            .start(|_status: TaskStatus| async {
                checkpoint().await;
                Err::<(), _>("early")
            })
            .await
            .unwrap_err();
        assert_eq!(error, StartError::Failed("early"));
        assert_eq!(
            error.to_string(),
            "the task failed before it had started: early"
        );
        assert_eq!(error.into_error(), Some("early"));
        log.note(sibling.await);
        Ok(())
    });
    assert_eq!(result, Ok(()));
    assert_eq!(log.entries(), ["sibling"]);
}

#[anyio::test]
async fn an_error_after_started_goes_to_the_group() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let (value, _handle) = tg
            .start(|status: TaskStatus<u32>| async {
                status.started(2);
                Err::<(), _>("late")
            })
            .await
            .unwrap();
        log.note(value.to_string());
        Ok(())
    });
    assert_eq!(log.entries(), ["2"]);
    let errors = result.unwrap_err();
    assert_eq!((errors.len(), errors.into_first()), (1, "late"));
}

#[anyio::test]
async fn a_child_that_ends_without_having_started_is_told_with_its_value() {
    task_group!(|tg| {
        let error = tg
            .start(|_status: TaskStatus| async { "done already" })
            .await
            .unwrap_err();
        assert_eq!(error, StartError::Exited("done already"));
        assert_eq!(
            error.to_string(),
            "the task ended without having called `started`"
        );
        assert_eq!(error.into_error(), None);
        // The group goes on.
        assert_eq!(tg.spawn(async { 5 }).await, 5);
    });
}

#[anyio::test]
async fn dropping_the_status_is_not_starting() {
    task_group!(|tg| {
        let ended = tg
            .start(|status: TaskStatus| async {
                drop(status);
                settle().await;
            })
            .await;
        assert_eq!(ended.unwrap_err(), StartError::Exited(()));
    });
}

#[anyio::test]
async fn started_may_be_called_before_the_future_exists() {
    fn wrapper(status: TaskStatus<u32>) -> impl Future<Output = u32> + Send {
        status.started(5);
        async { 8 }
    }

    task_group!(|tg| {
        let (value, handle) = tg.start(wrapper).await.unwrap();
        assert_eq!(value, 5);
        assert_eq!(handle.await, 8);
    });
}

#[anyio::test]
async fn started_and_ended_in_one_poll_gives_value_and_result() {
    task_group!(|tg| {
        let (value, handle) = tg
            .start(|status: TaskStatus<u32>| async {
                status.started(1);
                2
            })
            .await
            .unwrap();
        assert_eq!((value, handle.await), (1, 2));
    });
}

#[anyio::test]
async fn started_may_be_called_by_somebody_else() {
    let waiting = Mutex::new(None);
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            settle().await;
            log.note("about to report");
            let status: TaskStatus<u32> = waiting.lock().unwrap().take().unwrap();
            status.started(7);
        });
        let (value, handle) = tg
            .start(|status| {
                *waiting.lock().unwrap() = Some(status);
                sleep_forever()
            })
            .await
            .unwrap();
        log.note(format!("started {value}"));
        handle.cancel();
    });
    assert_eq!(log.entries(), ["about to report", "started 7"]);
}

#[anyio::test]
async fn started_may_be_called_from_another_thread() {
    task_group!(|tg| {
        let (value, handle) = tg
            .start(|status: TaskStatus<&str>| async {
                std::thread::spawn(move || status.started("from a thread"));
                sleep_forever().await
            })
            .await
            .unwrap();
        assert_eq!(value, "from a thread");
        assert_eq!(handle.status(), TaskState::Pending);
        tg.cancel();
    });
}

#[anyio::test]
async fn the_started_child_moves_to_the_group_and_outlives_the_starters_scope() {
    let log = Log::default();
    task_group!(|tg| {
        let handle = RefCell::new(None);
        let ended = cancel_scope!(|scope| {
            let (_, started) = tg
                .start(|status: TaskStatus| async {
                    status.started(());
                    settle().await;
                    log.note("not hurt");
                })
                .await
                .unwrap();
            *handle.borrow_mut() = Some(started);
            scope.cancel();
            sleep_forever().await
        });
        assert!(ended.is_err());
        let handle = handle.take().unwrap();
        assert_eq!(handle.join().await, Ok(()));
    });
    assert_eq!(log.entries(), ["not hurt"]);
}

#[anyio::test]
async fn a_started_child_is_cancelled_with_the_group() {
    let log = Log::default();
    task_group!(|tg| {
        tg.start(|status: TaskStatus| async {
            let _guard = log.when_dropped("service dropped");
            status.started(());
            sleep_forever().await
        })
        .await
        .unwrap();
        tg.cancel();
    });
    assert_eq!(log.entries(), ["service dropped"]);
}

#[anyio::test]
async fn a_started_child_can_be_cancelled_through_its_handle() {
    task_group!(|tg| {
        let (value, handle) = tg
            .start(|status: TaskStatus<u32>| async {
                status.started(3);
                sleep_forever().await
            })
            .await
            .unwrap();
        handle.cancel();
        assert_eq!(handle.status(), TaskState::Cancelling);
        assert_eq!(handle.join().await, Err(TaskError::Cancelled));
        assert_eq!(value, 3);
    });
}

#[anyio::test]
async fn a_call_of_start_from_another_group_keeps_the_group_open() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    task_group!(|other| {
        task_group!(|tg| {
            // A member of `other` is in the middle of `tg.start` when the body of `tg` ends: in Rust
            // the call has to be made inside `tg`, as anything that borrows it.
            tg.spawn(async {
                let (_, handle) = tg
                    .start(|status: TaskStatus| async {
                        released.await.unwrap();
                        status.started(());
                        settle().await;
                        log.note("child ended");
                    })
                    .await
                    .unwrap();
                drop(handle);
            });
            other.spawn(async {
                settle().await;
                release.send(()).unwrap();
            });
        });
        log.note("group ended");
    });
    assert_eq!(log.entries(), ["child ended", "group ended"]);
}

#[anyio::test]
async fn children_of_the_started_child_move_with_it() {
    let log = Log::default();
    task_group!(|tg| {
        tg.start(|status: TaskStatus| async {
            task_group!(|inner| {
                inner.spawn(async {
                    settle().await;
                    log.note("inner child");
                });
                status.started(());
            });
            log.note("inner group");
        })
        .await
        .unwrap();
        log.note("started");
    });
    assert_eq!(log.entries(), ["started", "inner child", "inner group"]);
}

#[anyio::test]
async fn the_parent_is_the_starter_until_started_and_then_the_host() {
    let host = current_task().unwrap().id();
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            let starter = current_task().unwrap().id();
            assert_ne!(starter, host);
            tg.start(|status: TaskStatus| async move {
                assert_eq!(current_task().unwrap().parent_id(), Some(starter));
                status.started(());
                checkpoint().await;
                assert_eq!(current_task().unwrap().parent_id(), Some(host));
            })
            .await
            .unwrap();
            log.note("checked");
        });
    });
    assert_eq!(log.entries(), ["checked"]);
}

#[anyio::test]
async fn a_started_child_may_borrow_from_before_the_group() {
    async fn serve(status: TaskStatus<usize>, words: &[&str], log: &Log) {
        status.started(words.len());
        for word in words {
            checkpoint().await;
            log.note(*word);
        }
    }

    async fn helper<'scope>(
        tasks: Spawner<'scope>,
        words: &'scope [&'scope str],
        log: &'scope Log,
    ) {
        let (count, _handle) = tasks
            .start(|status| serve(status, words, log))
            .await
            .unwrap();
        assert_eq!(count, 2);
    }

    let words = ["one", "two"];
    let log = Log::default();
    task_group!(|tg| helper(tg.spawner(), &words, &log).await);
    assert_eq!(log.entries(), ["one", "two"]);
}

#[anyio::test]
async fn many_starts_at_once_each_get_their_own_value() {
    task_group!(|tg| {
        let starts = (0..20).map(|n| {
            tg.start(move |status: TaskStatus<u32>| async move {
                for _ in 0..n % 4 {
                    checkpoint().await;
                }
                status.started(n);
                checkpoint().await;
            })
        });
        let started = futures::future::join_all(starts).await;
        for (n, started) in started.into_iter().enumerate() {
            assert_eq!(started.unwrap().0, n as u32);
        }
    });
}
