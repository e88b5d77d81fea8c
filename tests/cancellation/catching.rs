//! `catch_cancelled` and `resume_cancelled`.

use std::pin::Pin;

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, move_on_after, resume_cancelled,
    shield, sleep, sleep_forever, task_group,
};

use crate::support::{LONG, SHORT, checkpoints, panic_of, poll_once};

#[anyio::test]
async fn without_a_cancellation_the_value_is_given() {
    let value = catch_cancelled(async {
        checkpoint().await;
        5
    });
    assert_eq!(value.await.unwrap(), 5);
}

#[anyio::test]
async fn the_code_after_a_caught_cancellation_runs_on_to_its_next_suspension() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let caught = catch_cancelled(sleep_forever()).await;
        log.push(caught.is_err());
        checkpoint().await;
        log.push(false);
    });
    assert!(ended.is_err());
    assert_eq!(log, [true]);
}

#[anyio::test]
async fn a_handler_may_end_the_scope_with_a_value() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        match catch_cancelled(sleep_forever()).await {
            Ok(()) => "woke",
            Err(_) => "was cancelled",
        }
    });
    assert_eq!(ended.unwrap(), "was cancelled");
}

#[anyio::test]
async fn the_handler_may_clean_up_in_a_shield_and_pass_it_on() {
    let mut log = Vec::new();
    let ended = move_on_after!(SHORT, {
        if let Err(cancelled) = catch_cancelled(sleep_forever()).await {
            shield(checkpoints(3)).await;
            log.push("cleaned up");
            resume_cancelled(cancelled).await;
        }
        log.push("never");
    });
    assert!(ended.is_none());
    assert_eq!(log, ["cleaned up"]);
}

#[anyio::test]
async fn a_catcher_drops_what_it_caught() {
    let dropped = std::cell::Cell::new(false);
    struct Loud<'a>(&'a std::cell::Cell<bool>);
    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let loud = Loud(&dropped);
        let caught = catch_cancelled(async move {
            let _loud = loud;
            sleep_forever().await;
        });
        caught.await.unwrap_err();
        dropped.get()
    });
    assert!(ended.unwrap());
}

#[anyio::test]
async fn a_shield_inside_a_catcher_is_waited_for() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let caught = catch_cancelled(async {
            shield(checkpoints(3)).await;
            log.push("shielded");
            checkpoint().await;
            log.push("never");
        });
        assert!(caught.await.is_err());
        log.push("caught");
    });
    assert!(ended.is_ok());
    assert_eq!(log, ["shielded", "caught"]);
}

#[anyio::test]
async fn nested_catchers_get_it_from_the_inside_out() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let outer = catch_cancelled(async {
            let inner = catch_cancelled(sleep_forever()).await.unwrap_err();
            log.push("inner");
            resume_cancelled(inner).await;
        });
        let cancelled = outer.await.unwrap_err();
        log.push("outer");
        resume_cancelled(cancelled).await;
    });
    assert!(ended.is_err());
    assert_eq!(log, ["inner", "outer"]);
}

#[anyio::test]
async fn an_inner_scope_absorbs_its_own_cancellation_before_a_catcher_outside_it() {
    let caught = catch_cancelled(async {
        cancel_scope!(|scope| {
            scope.cancel();
            sleep_forever().await
        })
    });
    assert!(caught.await.unwrap().is_err());
}

#[anyio::test]
async fn a_catcher_in_a_shield_does_not_hear_of_outer_cancellations() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        shield(catch_cancelled(async {
            checkpoint().await;
            5
        }))
        .await
    });
    assert_eq!(ended.unwrap().unwrap(), 5);
}

#[anyio::test]
async fn a_task_that_is_cancelled_alone_can_catch_it() {
    let mut log = Vec::new();
    task_group!(|tg| {
        let task = tg.spawn(async {
            let cancelled = catch_cancelled(sleep_forever()).await.unwrap_err();
            log.push("caught");
            resume_cancelled(cancelled).await;
            log.push("never");
        });
        checkpoint().await;
        task.cancel();
        assert!(task.join().await.is_err());
    });
    assert_eq!(log, ["caught"]);
}

#[anyio::test]
async fn a_caught_cancellation_passes_a_shield_that_was_switched_on_since() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        let _ = cancel_scope!(|inner| {
            outer.cancel();
            let cancelled = catch_cancelled(sleep_forever()).await.unwrap_err();
            inner.set_shield(true);
            resume_cancelled(cancelled).await;
        });
        log.push("never");
    });
    assert!(ended.is_err());
    assert!(log.is_empty());
}

#[anyio::test]
async fn a_cancel_from_another_task_reaches_a_waiting_catcher() {
    let caught = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let task = tg.spawn(async move {
            let ended = scope.run(async {
                let cancelled = catch_cancelled(sleep(LONG)).await.unwrap_err();
                cancelled.reason().map(str::to_owned)
            });
            ended.await.unwrap()
        });
        checkpoint().await;
        handle.cancel_because("from the side");
        task.await
    });
    assert_eq!(caught.as_deref(), Some("from the side"));
}

#[anyio::test]
async fn a_catcher_may_be_polled_by_hand_outside_any_scope() {
    let mut catcher = Box::pin(catch_cancelled(sleep_forever()));
    assert!(poll_once(&mut catcher).await.is_pending());
    assert!(poll_once(&mut catcher).await.is_pending());
}

#[anyio::test]
async fn in_a_loop_each_round_can_be_cancelled_and_caught() {
    let mut rounds = 0;
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        while rounds < 100 {
            let inner: Pin<Box<_>> = Box::pin(catch_cancelled(checkpoint()));
            assert!(inner.await.is_err());
            rounds += 1;
        }
    });
    assert!(ended.is_ok());
    assert_eq!(rounds, 100);
}

#[test]
fn resuming_where_nothing_is_cancelled_panics_and_says_what_was_caught() {
    let text = panic_of(|| {
        anyio::run(anyio::Backend::default(), async {
            let caught = cancel_scope!(|scope| {
                scope.cancel_because("over");
                catch_cancelled(sleep_forever()).await.unwrap_err()
            });
            resume_cancelled(caught.unwrap()).await;
        })
    });
    assert!(text.contains("no scope around it is cancelled"), "{text}");
    assert!(text.ends_with("over)"), "{text}");
}
