//! Starters that are cancelled, and children that panic in `start`.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use anyio::{
    StartError, TaskStatus, cancel_scope, catch_cancelled, checkpoint, finally, shield,
    sleep_forever, task_group,
};
use futures::channel::oneshot;

use super::support::{Log, panic_of, settle};

#[anyio::test]
async fn a_child_is_started_in_a_cancelled_group_up_to_its_first_suspension() {
    let log = Log::default();
    task_group!(|tg| {
        tg.cancel();
        let started = tg.start(|_status: TaskStatus| async {
            log.note("started");
            checkpoint().await;
            log.note("never");
        });
        let _ = started.await;
        log.note("never");
    });
    assert_eq!(log.entries(), ["started"]);
}

#[anyio::test]
async fn a_cancelled_starter_cancels_the_child_and_not_the_group() {
    let log = Log::default();
    task_group!(|tg| {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            let _ = tg
                .start(|_status: TaskStatus| async {
                    log.note("started");
                    sleep_forever().await
                })
                .await;
        });
        assert!(ended.is_err());
        assert!(!tg.cancel_scope().cancel_called());
        log.note(tg.spawn(async { "the group goes on" }).await);
    });
    assert_eq!(log.entries(), ["started", "the group goes on"]);
}

#[anyio::test]
async fn a_cancelled_starter_waits_for_the_clean_up_of_the_child() {
    let log = Log::default();
    task_group!(|tg| {
        let ended = cancel_scope!(|scope| {
            let stop = scope.clone();
            tg.spawn(async move {
                settle().await;
                stop.cancel();
            });
            let _ = tg
                .start(|_status: TaskStatus| async {
                    finally!({ sleep_forever().await }, {
                        settle().await;
                        log.note("cleaned up");
                    });
                })
                .await;
        });
        assert!(ended.is_err());
        log.note("after the scope");
    });
    assert_eq!(log.entries(), ["cleaned up", "after the scope"]);
}

#[anyio::test]
async fn a_child_in_start_that_shields_itself_is_not_hurt_until_it_leaves_the_shield() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    task_group!(|outer| {
        outer.spawn(async {
            settle().await;
            log.note("release");
            release.send(()).unwrap();
        });
        task_group!(|tg| {
            let ended = cancel_scope!(|scope| {
                let stop = scope.clone();
                let log = &log;
                let _ = tg
                    .start(move |status: TaskStatus| async move {
                        shield!({
                            stop.cancel();
                            released.await.unwrap();
                            log.note("shield done");
                        });
                        checkpoint().await;
                        log.note("never");
                        status.started(());
                    })
                    .await;
            });
            assert!(ended.is_err());
        });
    });
    assert_eq!(log.entries(), ["release", "shield done"]);
}

#[anyio::test]
async fn a_late_started_is_ignored_once_the_starter_is_cancelled() {
    let log = Log::default();
    task_group!(|tg| {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            let _ = tg
                .start(|status: TaskStatus<&str>| async {
                    status.started("too late");
                    log.note("reported");
                    // Still in the scope of the starter.
                    checkpoint().await;
                    log.note("never");
                })
                .await;
            log.note("never");
        });
        assert!(ended.is_err());
        assert_eq!(tg.statistics().tasks, 0);
    });
    assert_eq!(log.entries(), ["reported"]);
}

#[anyio::test]
async fn a_refused_start_may_be_polled_on_by_a_foreign_combinator() {
    let log = Log::default();
    task_group!(|tg| {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            let start = async {
                let _ = tg.start(|_status: TaskStatus| async { "a value" }).await;
                log.note("never");
            };
            let holding = async {
                shield!({ settle().await });
                log.note("shield done");
            };
            // Polls both whenever one is woken.
            futures::join!(start, holding);
        });
        assert!(ended.is_err());
    });
    assert_eq!(log.entries(), ["shield done"]);
}

#[anyio::test]
async fn an_error_of_a_child_whose_starter_is_cancelled_is_the_starters() {
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let mut error = None;
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            error = tg
                .start(|status: TaskStatus| async {
                    status.started(());
                    Err::<(), _>("after a started that nobody heard")
                })
                .await
                .err();
        });
        assert!(ended.is_ok(), "it had a result to give");
        assert_eq!(
            error.and_then(StartError::into_error),
            Some("after a started that nobody heard")
        );
        Ok(())
    });
    assert_eq!(result, Ok(()));
}

#[anyio::test]
async fn a_start_that_is_cancelled_because_a_sibling_failed_leaves_the_outer_group_alone() {
    let log = Log::default();
    let result = task_group!(|outer| -> Result<(), &'static str> {
        let inner = task_group!(|inner| -> Result<(), &'static str> {
            inner.spawn(async {
                settle().await;
                Err::<(), _>("cancels the second start")
            });
            let _ = outer
                .start(|status: TaskStatus| async {
                    let _guard = log.when_dropped("dropped");
                    sleep_forever().await;
                    status.started(());
                    Ok(())
                })
                .await;
            unreachable!("cancelled in start")
        });
        assert_eq!(inner.unwrap_err().into_first(), "cancels the second start");
        checkpoint().await;
        log.note("the outer group goes on");
        Ok(())
    });
    assert_eq!(result, Ok(()));
    assert_eq!(log.entries(), ["dropped", "the outer group goes on"]);
}

#[anyio::test]
async fn a_panic_before_started_is_the_callers() {
    task_group!(|tg| {
        let text = panic_of(tg.start(|_status: TaskStatus| async {
            checkpoint().await;
            panic!("in the child");
        }))
        .await;
        assert_eq!(text, "in the child");
        assert!(!tg.cancel_scope().cancel_called());
        assert_eq!(tg.spawn(async { 5 }).await, 5);
    });
}

#[anyio::test]
async fn a_panic_after_started_goes_on_at_the_end_of_the_group() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            let (value, _handle) = tg
                .start(|status: TaskStatus<u32>| async {
                    status.started(1);
                    panic!("in the child");
                })
                .await
                .unwrap();
            log.note(value.to_string());
        });
    })
    .await;
    assert_eq!(text, "in the child");
    assert_eq!(log.entries(), ["1"]);
}

#[anyio::test]
async fn a_start_dropped_half_way_drops_the_child() {
    let log = Log::default();
    task_group!(|tg| {
        {
            let mut start = std::pin::pin!(tg.start(|_status: TaskStatus| async {
                let _guard = log.when_dropped("child dropped");
                sleep_forever().await
            }));
            assert!(futures::poll!(start.as_mut()).is_pending());
            log.note("polled");
        }
        log.note("given up");
        // One that was never polled.
        drop(tg.start(|_status: TaskStatus| pending::<()>()));
    });
    assert_eq!(log.entries(), ["polled", "child dropped", "given up"]);
}

#[anyio::test]
async fn sleeping_children_notice_when_they_move_into_a_cancelled_group() {
    let log = Log::default();
    task_group!(|tg| {
        let started = shield!({
            tg.start(|status: TaskStatus| async {
                task_group!(|inner| {
                    inner.spawn(async {
                        let _ = catch_cancelled(sleep_forever()).await;
                        log.note("noticed");
                    });
                    settle().await;
                    tg.cancel();
                    status.started(());
                });
            })
            .await
        });
        assert!(started.is_ok());
        log.note("moved");
    });
    assert_eq!(log.entries(), ["moved", "noticed"]);
}

#[anyio::test]
async fn a_start_in_a_loop_of_cancelled_scopes_leaves_nothing() {
    let dropped = AtomicBool::new(false);
    task_group!(|tg| {
        for _ in 0..10 {
            dropped.store(false, Ordering::Relaxed);
            let ended = anyio::move_on_at!(anyio::current_time(), {
                let _ = tg
                    .start(|_status: TaskStatus| async {
                        let _guard =
                            super::support::when_dropped(|| dropped.store(true, Ordering::Relaxed));
                        sleep_forever().await
                    })
                    .await;
            });
            assert!(ended.is_none());
            assert!(dropped.load(Ordering::Relaxed));
            assert_eq!(tg.statistics().tasks, 0);
        }
    });
}

#[anyio::test(timeout = 5s)]
async fn a_scope_that_a_started_child_has_left_goes_on_when_that_ends_at_its_next_poll() {
    task_group!(|tg| {
        let ended = cancel_scope!(|scope| {
            let start = tg.start(|status: TaskStatus| {
                // Pending once, in a shield that holds the scope, and reporting in that poll.
                let mut status = Some(status);
                anyio::shield(std::future::poll_fn(move |_| match status.take() {
                    Some(status) => {
                        status.started(());
                        std::task::Poll::Pending
                    }
                    None => std::task::Poll::Ready(()),
                }))
            });
            start.await.unwrap();
            // The scope may not end before the child has turned up in the group.
            scope.cancel();
            sleep_forever().await;
        });
        assert!(ended.is_err());
    });
}
