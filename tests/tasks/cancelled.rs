//! Groups in scopes that are cancelled.

use std::sync::atomic::{AtomicU32, Ordering};

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, finally, shield, sleep_forever,
    task_group,
};
use futures::channel::oneshot;

use super::support::{Log, settle};

#[anyio::test]
async fn a_shielded_group_does_not_hear_of_cancellations_from_further_out() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        task_group!(shield = true, |tg| {
            tg.spawn(async {
                settle().await;
                log.note("child");
            });
            settle().await;
            log.note("body");
        });
        log.note("after the group");
        checkpoint().await;
        log.note("never");
    });
    assert!(ended.is_err());
    let mut entries = log.entries();
    assert_eq!(entries.pop().as_deref(), Some("after the group"));
    entries.sort();
    assert_eq!(entries, ["body", "child"]);
}

#[anyio::test]
async fn the_shield_of_a_group_can_be_switched() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.cancel_scope().set_shield(true);
            scope.cancel();
            settle().await;
            log.note("shielded");
            tg.cancel_scope().set_shield(false);
            checkpoint().await;
            log.note("never");
        });
        log.note("never");
    });
    assert!(ended.is_err());
    assert_eq!(log.entries(), ["shielded"]);
}

#[anyio::test]
async fn cancelled_from_further_out_a_group_does_not_give_a_value() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn(sleep_forever());
            settle().await;
            scope.cancel();
            sleep_forever().await
        });
        log.note("never");
    });
    assert!(ended.is_err());
    assert_eq!(log.entries(), [""; 0]);
}

#[anyio::test]
async fn a_group_ends_well_in_a_cancelled_scope_if_its_members_did() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let value = task_group!(|tg| {
            tg.spawn(async { log.note("child") });
            5
        });
        log.note(format!("value {value}"));
        checkpoint().await;
        log.note("never");
    });
    assert!(ended.is_err());
    assert_eq!(log.entries(), ["child", "value 5"]);
}

#[anyio::test]
async fn an_empty_group_does_not_raise_a_cancellation_by_itself() {
    let ended = CancelScope::new();
    let handle = ended.handle();
    handle.cancel();
    let ended = ended.run(async { task_group!(|_tg| "value") }).await;
    assert_eq!(ended.unwrap(), "value");
}

#[anyio::test]
async fn a_group_that_waits_for_its_children_is_cancelled_with_them() {
    let log = Log::default();
    task_group!(|outer| {
        outer.spawn(async {
            task_group!(|inner| {
                inner.spawn(async {
                    finally!({ sleep_forever().await }, {
                        settle().await;
                        log.note("cleaned up");
                    });
                });
            });
            log.note("never");
        });
        settle().await;
        outer.cancel();
    });
    assert_eq!(log.entries(), ["cleaned up"]);
}

#[anyio::test]
async fn a_cancellation_cascades_into_groups_of_groups() {
    let dropped = AtomicU32::new(0);
    task_group!(|outer| {
        for _ in 0..3 {
            outer.spawn(async {
                task_group!(|middle| {
                    for _ in 0..3 {
                        middle.spawn(async {
                            task_group!(|inner| {
                                inner.spawn(async {
                                    let _ = catch_cancelled(sleep_forever()).await;
                                    dropped.fetch_add(1, Ordering::Relaxed);
                                });
                                sleep_forever().await
                            });
                            unreachable!("the inner group was cancelled from further out");
                        });
                    }
                });
                unreachable!("the middle group was cancelled from further out");
            });
        }
        settle().await;
        outer.cancel();
    });
    assert_eq!(dropped.into_inner(), 9);
}

#[anyio::test]
async fn a_cancellation_reaches_the_children_although_the_body_is_shielded() {
    let log = Log::default();
    let (cancelled, was_cancelled) = oneshot::channel();
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn(async {
                let _ = catch_cancelled(sleep_forever()).await;
                cancelled.send(()).unwrap();
            });
            settle().await;
            shield!({
                scope.cancel();
                was_cancelled.await.unwrap();
                log.note("the body waited for it");
            });
        });
    });
    assert_eq!(log.entries(), ["the body waited for it"]);
    // All members ended well, and so did the scope.
    assert!(ended.is_ok());
}

#[anyio::test]
async fn a_scope_inside_a_child_ends_that_block_only() {
    let log = Log::default();
    task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        tg.spawn(async {
            let scope = scope;
            assert!(scope.run(sleep_forever()).await.is_err());
            log.note("the child goes on");
        });
        settle().await;
        handle.cancel();
        settle().await;
        log.note("the body goes on");
        assert!(!tg.cancel_scope().cancel_called());
    });
    assert_eq!(log.entries(), ["the child goes on", "the body goes on"]);
}

#[anyio::test]
async fn a_group_cancelled_by_itself_and_then_from_further_out_belongs_to_the_outer_scope() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    scope.cancel();
                    settle().await;
                });
            });
            settle().await;
            tg.cancel();
        });
        log.note("never");
    });
    assert!(ended.is_err());
    assert_eq!(log.entries(), [""; 0]);
}
