//! Cancelling a group, and groups in scopes that are cancelled.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Context;
use std::time::Duration;

use anyio::{
    TaskState, catch_cancelled, checkpoint, current_time, shield, sleep_forever, task_group,
};
use futures::channel::oneshot;

use super::support::{CountingWaker, Log, settle};

#[anyio::test]
async fn cancelling_ends_children_and_body_quietly() {
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            let _guard = log.when_dropped("child dropped");
            sleep_forever().await;
        });
        settle().await;
        tg.cancel();
        log.note("nobody has reacted yet");
        checkpoint().await;
        log.note("never");
    });
    assert_eq!(log.entries(), ["nobody has reacted yet", "child dropped"]);
}

#[anyio::test]
async fn a_body_that_ends_without_suspending_is_not_cancelled() {
    let mut end_reached = false;
    task_group!(|tg| {
        tg.cancel();
        end_reached = true;
    });
    assert!(end_reached);
}

#[anyio::test]
async fn a_new_child_of_a_cancelled_group_runs_to_its_first_suspension() {
    let marker = AtomicU32::new(0);
    task_group!(|tg| {
        tg.spawn(async {
            marker.store(1, Ordering::Relaxed);
            checkpoint().await;
            marker.store(2, Ordering::Relaxed);
        });
        assert_eq!(marker.load(Ordering::Relaxed), 0);
        tg.cancel();
    });
    assert_eq!(marker.into_inner(), 1);
}

#[anyio::test]
async fn spawning_into_a_cancelled_group_is_allowed_and_the_child_runs_once() {
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            settle().await;
            log.note("never");
        });
        tg.cancel();
        tg.spawn(async {
            let caught = catch_cancelled(sleep_forever()).await;
            log.note(format!("caught {}", caught.is_err()));
            tg.spawn(async {
                log.note("grandchild");
                checkpoint().await;
                log.note("never");
            });
        });
    });
    assert_eq!(log.entries(), ["caught true", "grandchild"]);
}

#[anyio::test]
async fn a_child_that_ended_before_the_cancellation_keeps_its_value() {
    let log = Log::default();
    task_group!(|tg| {
        let value = tg.spawn(async { 5 });
        settle().await;
        tg.cancel();
        assert_eq!(value.status(), TaskState::Finished);
        shield!({ log.note(value.await.to_string()) });
    });
    assert_eq!(log.entries(), ["5"]);
}

#[anyio::test]
async fn what_is_ready_is_not_thrown_away_by_a_cancellation() {
    let (send, receive) = oneshot::channel();
    let mut got = None;
    task_group!(|tg| {
        tg.spawn(async { got = receive.await.ok() });
        settle().await;
        send.send(7).unwrap();
        tg.cancel();
    });
    assert_eq!(got, Some(7));
}

#[anyio::test]
async fn a_second_cancel_changes_nothing_and_the_first_reason_stays() {
    let mut reason = None;
    task_group!(|tg| {
        tg.spawn(async {
            let caught = catch_cancelled(sleep_forever()).await.unwrap_err();
            reason = caught.reason().map(str::to_owned);
        });
        settle().await;
        tg.cancel_because("first");
        tg.cancel_because("second");
        tg.cancel();
    });
    assert_eq!(reason.as_deref(), Some("first"));
}

#[anyio::test]
async fn one_task_can_be_cancelled_by_one_group_after_another() {
    let cancelled = AtomicU32::new(0);
    for _ in 0..3 {
        task_group!(|tg| {
            tg.spawn(async {
                settle().await;
                tg.cancel();
            });
            let _ = catch_cancelled(sleep_forever()).await;
            cancelled.fetch_add(1, Ordering::Relaxed);
        });
    }
    checkpoint().await;
    assert_eq!(cancelled.into_inner(), 3);
}

#[anyio::test]
async fn the_scope_of_a_group_tells_what_became_of_it() {
    let mut scope = None;
    task_group!(|tg| {
        let handle = tg.cancel_scope();
        assert!(!handle.cancel_called());
        scope = Some(handle);
        tg.spawn(sleep_forever());
        tg.cancel();
        assert!(tg.cancel_scope().cancel_called());
    });
    let scope = scope.unwrap();
    assert!(scope.cancel_called());
    assert!(scope.cancelled_caught());
}

#[anyio::test]
async fn a_group_whose_members_all_ended_well_caught_nothing() {
    let mut scope = None;
    task_group!(|tg| {
        tg.spawn(async {});
        tg.cancel();
        scope = Some(tg.cancel_scope());
    });
    let scope = scope.unwrap();
    assert!(scope.cancel_called());
    assert!(!scope.cancelled_caught());
}

#[anyio::test]
async fn a_deadline_on_the_scope_of_a_group_cancels_all_members() {
    let log = Log::default();
    task_group!(|tg| {
        tg.cancel_scope()
            .set_deadline(current_time() + Duration::from_millis(1));
        tg.spawn(async {
            let caught = catch_cancelled(sleep_forever()).await.unwrap_err();
            log.note(format!("child: {}", caught.is_deadline()));
        });
        let caught = catch_cancelled(sleep_forever()).await.unwrap_err();
        log.note(format!("body: {}", caught.is_deadline()));
    });
    let mut entries = log.entries();
    entries.sort();
    assert_eq!(entries, ["body: true", "child: true"]);
}

#[anyio::test]
async fn a_deadline_in_the_past_cancels_at_the_next_suspension() {
    let reached = AtomicBool::new(false);
    task_group!(|tg| {
        tg.cancel_scope().set_deadline(current_time());
        reached.store(true, Ordering::Relaxed);
        sleep_forever().await;
    });
    assert!(reached.into_inner());
}

#[anyio::test]
async fn a_cancelled_group_waits_for_shielded_children() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    task_group!(|outer| {
        outer.spawn(async {
            settle().await;
            log.note("release");
            release.send(()).unwrap();
        });
        task_group!(|tg| {
            tg.spawn(async {
                shield!({ released.await.unwrap() });
                log.note("shield done");
                checkpoint().await;
                log.note("never");
            });
            checkpoint().await;
            tg.cancel();
        });
        log.note("group done");
    });
    assert_eq!(log.entries(), ["release", "shield done", "group done"]);
}

#[anyio::test]
async fn a_group_does_not_spin_while_a_shielded_child_holds_it() {
    let (release, released) = oneshot::channel::<()>();
    let (wakes, waker) = CountingWaker::new();
    let mut group = pin!(async {
        task_group!(|tg| {
            tg.spawn(async { shield!({ released.await.unwrap() }) });
            tg.spawn(sleep_forever());
            tg.cancel();
        });
    });
    let mut cx = Context::from_waker(&waker);
    while {
        let before = wakes.wakes();
        assert!(group.as_mut().poll(&mut cx).is_pending());
        assert!(before < 10, "the group keeps waking itself");
        wakes.wakes() > before
    } {}
    let at_rest = wakes.wakes();
    for _ in 0..5 {
        assert!(group.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(wakes.wakes(), at_rest);
    release.send(()).unwrap();
    assert_eq!(wakes.wakes(), at_rest + 1);
    assert!(group.as_mut().poll(&mut cx).is_ready());
}

#[anyio::test]
async fn a_child_can_cancel_its_own_group() {
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            tg.cancel();
            log.note("still here");
            checkpoint().await;
            log.note("never");
        });
        sleep_forever().await
    });
    assert_eq!(log.entries(), ["still here"]);
}

#[anyio::test]
async fn the_locals_of_a_cancelled_child_go_before_the_group_ends_and_before_later_code() {
    let log = Log::default();
    task_group!(|tg| {
        let child = tg.spawn(async {
            let _outer = log.when_dropped("first local");
            let _inner = log.when_dropped("second local");
            sleep_forever().await;
        });
        settle().await;
        child.cancel();
        child.wait().await;
        log.note("after the wait");
    });
    assert_eq!(
        log.entries(),
        ["second local", "first local", "after the wait"]
    );
}
