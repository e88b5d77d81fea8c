//! Manual: docs/manual/cancellation.md
//!
//! The count of clean-ups that were dropped from outside is one a process, so the tests here run one after the
//! other.

use std::sync::Mutex;

use anyio::{
    AsyncContextManager, CancelScope, Outcome, cancel_scope, catch_cancelled, checkpoint, finally,
    lost_clean_ups, move_on_after, shield, sleep_forever, task_group, with,
};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How many clean-ups are lost while `test` runs, on each backend; with one compiled in, on that twice.
fn lost(test: impl AsyncFn()) -> [usize; 2] {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let there = anyio::available_backends();
    [there[0], there[there.len() - 1]].map(|name| {
        let backend: anyio::Backend = name.parse().unwrap();
        let before = lost_clean_ups();
        anyio::run(backend, test()).unwrap();
        lost_clean_ups() - before
    })
}

/// Polls `future` once, then drops it.
async fn abandon(future: impl Future) {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

struct Manager;

impl AsyncContextManager for Manager {
    type Resource = ();

    async fn enter(self) {}

    async fn exit((): (), _: Outcome) {
        checkpoint().await;
    }
}

#[test]
fn a_pending_shield_that_is_dropped_counts() {
    assert_eq!(
        lost(async || abandon(shield(sleep_forever())).await),
        [1, 1]
    );
}

#[test]
fn a_scope_with_a_shield_that_is_dropped_counts() {
    let count = lost(async || {
        abandon(CancelScope::new().shield(true).run(sleep_forever())).await;
        abandon(CancelScope::new().run(sleep_forever())).await;
    });
    assert_eq!(count, [1, 1]);
}

#[test]
fn a_clean_up_that_is_still_due_counts() {
    let count = lost(async || {
        abandon(async { finally!({ sleep_forever().await }, {}) }).await;
        abandon(async { with!(_inside = Manager, { sleep_forever().await }) }).await;
    });
    assert_eq!(count, [2, 2]);
}

#[test]
fn a_clean_up_that_was_begun_counts_with_its_shield() {
    let count = lost(async || {
        abandon(async { finally!({}, { sleep_forever().await }) }).await;
    });
    assert_eq!(count, [2, 2]);
}

#[test]
fn each_of_nested_shields_counts() {
    assert_eq!(
        lost(async || abandon(shield(shield(shield(sleep_forever())))).await),
        [3, 3]
    );
}

#[test]
fn what_was_never_begun_or_is_over_does_not_count() {
    let count = lost(async || {
        drop(shield(sleep_forever()));
        drop(CancelScope::new().shield(true).run(sleep_forever()));
        let mut over = Box::pin(shield(checkpoint()));
        over.as_mut().await;
        drop(over);
        finally!({}, {});
        with!(_inside = Manager, {});
    });
    assert_eq!(count, [0, 0]);
}

#[test]
fn plain_futures_that_are_dropped_do_not_count() {
    let count = lost(async || {
        abandon(sleep_forever()).await;
        abandon(move_on_after(
            std::time::Duration::from_secs(5),
            sleep_forever(),
        ))
        .await;
        abandon(async {
            task_group!(|tg| {
                tg.spawn(sleep_forever());
                tg.spawn(catch_cancelled(sleep_forever()));
            });
        })
        .await;
    });
    assert_eq!(count, [0, 0]);
}

#[test]
fn scopes_and_groups_of_this_crate_lose_nothing() {
    let count = lost(async || {
        let ended = cancel_scope!(|scope| {
            task_group!(|tg| {
                for n in 0..10 {
                    tg.spawn(async move {
                        finally!({ sleep_forever().await }, {
                            for _ in 0..n {
                                checkpoint().await;
                            }
                        });
                    });
                    tg.spawn(shield(checkpoint()));
                    tg.spawn_parallel(async {
                        with!(_inside = Manager, { sleep_forever().await });
                    });
                }
                checkpoint().await;
                scope.cancel();
            });
        });
        assert!(ended.is_err());
    });
    assert_eq!(count, [0, 0]);
}

#[test]
fn shielded_tasks_of_a_group_that_is_dropped_count() {
    let count = lost(async || {
        abandon(async {
            task_group!(|tg| {
                tg.spawn(shield(sleep_forever()));
                tg.spawn(sleep_forever());
                sleep_forever().await;
            });
        })
        .await;
    });
    assert_eq!(count, [1, 1]);
}

#[test]
fn a_shielded_group_that_is_dropped_counts() {
    let count = lost(async || {
        abandon(async {
            task_group!(shield = true, |tg| {
                tg.spawn(sleep_forever());
                tg.spawn(catch_cancelled(sleep_forever()));
            });
        })
        .await;
    });
    assert_eq!(count, [1, 1]);
}

#[test]
fn a_shield_switched_on_after_the_cancellation_that_passes_it_does_not_count() {
    let count = lost(async || {
        let ended = cancel_scope!(|outer| {
            let _ = cancel_scope!(|inner| {
                outer.cancel();
                finally!({ sleep_forever().await }, { inner.set_shield(true) });
            });
        });
        assert!(ended.is_err());
        let ended = cancel_scope!(|outer| {
            task_group!(|tg| {
                tg.spawn(async {
                    outer.cancel();
                    finally!({ sleep_forever().await }, {
                        tg.cancel_scope().set_shield(true)
                    });
                });
            });
        });
        assert!(ended.is_err());
    });
    assert_eq!(count, [0, 0]);
}

#[test]
fn a_losing_branch_of_a_foreign_select_counts() {
    let count = lost(async || {
        tokio::select! {
            () = shield(sleep_forever()) => {}
            () = checkpoint() => {}
        }
    });
    assert_eq!(count, [1, 1]);
}

#[test]
fn an_aborted_tokio_task_counts() {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = lost_clean_ups();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        #[allow(
            clippy::disallowed_methods,
            reason = "what comes of it is the question"
        )]
        let task = tokio::spawn(async { shield(sleep_forever()).await });
        checkpoint().await;
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!(lost_clean_ups(), before + 1);
}
