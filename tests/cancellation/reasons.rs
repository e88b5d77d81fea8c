//! Why something was cancelled.

use std::error::Error as _;

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, fail_after, move_on_after, resume_cancelled,
    shield, sleep_forever, task_group,
};

use crate::support::{LONG, SHORT};

#[anyio::test]
async fn the_text_says_who_cancelled_and_why() {
    let cancelled = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        tg.spawn(async move { handle.cancel_because("the disk is full") })
            .named("watcher");
        scope.run(sleep_forever()).await.unwrap_err()
    });
    assert_eq!(
        cancelled.to_string(),
        "cancelled by task `watcher`: the disk is full"
    );
    assert_eq!(cancelled.reason(), Some("the disk is full"));
    assert!(!cancelled.is_deadline());
    assert!(cancelled.source().is_none());
}

#[anyio::test]
async fn without_a_reason_the_text_says_who() {
    let cancelled = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        tg.spawn(async move { handle.cancel() }).named("watcher");
        scope.run(sleep_forever()).await.unwrap_err()
    });
    assert_eq!(cancelled.to_string(), "cancelled by task `watcher`");
    assert_eq!(cancelled.reason(), None);
}

#[anyio::test]
async fn a_thread_that_is_no_task_is_not_named() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    std::thread::scope(|threads| {
        threads.spawn(|| handle.cancel_because("from outside"));
    });
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    assert_eq!(cancelled.to_string(), "cancelled: from outside");
}

#[anyio::test]
async fn the_first_reason_stays() {
    let cancelled = cancel_scope!(|scope| {
        scope.cancel_because("first");
        scope.cancel_because("second");
        scope.cancel();
        scope.set_deadline(anyio::current_time());
        sleep_forever().await
    });
    let cancelled = cancelled.unwrap_err();
    assert_eq!(cancelled.reason(), Some("first"));
    assert!(!cancelled.is_deadline());
}

#[anyio::test]
async fn a_call_without_a_reason_that_comes_first_keeps_later_ones_out() {
    let cancelled = cancel_scope!(|scope| {
        scope.cancel();
        scope.cancel_because("too late");
        sleep_forever().await
    });
    assert_eq!(cancelled.unwrap_err().reason(), None);
}

#[anyio::test]
async fn a_deadline_says_so_itself() {
    let scope = CancelScope::new().deadline_after(SHORT);
    let handle = scope.handle();
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    handle.cancel_because("too late");
    assert!(cancelled.is_deadline());
    assert_eq!(cancelled.reason(), None);
    assert_eq!(cancelled.to_string(), "deadline exceeded");
}

#[anyio::test]
async fn a_catcher_is_told_the_reason_of_the_innermost_cancelled_scope() {
    let mut caught = None;
    let outer = cancel_scope!(|outer| {
        cancel_scope!(|inner| {
            outer.cancel_because("outer");
            inner.cancel_because("inner");
            let cancelled = catch_cancelled(sleep_forever()).await.unwrap_err();
            caught = cancelled.reason().map(str::to_owned);
            resume_cancelled(cancelled).await;
        })
        .unwrap_err();
    });
    assert_eq!(caught.as_deref(), Some("inner"));
    assert_eq!(outer.unwrap_err().reason(), Some("outer"));
}

#[anyio::test]
async fn a_reason_does_not_come_through_a_shield() {
    let ended = cancel_scope!(|outer| {
        outer.cancel_because("outer");
        shield(async {
            let inner = cancel_scope!(|inner| {
                inner.cancel_because("inner");
                sleep_forever().await
            });
            inner.unwrap_err().reason().map(str::to_owned)
        })
        .await
    });
    assert_eq!(ended.unwrap().as_deref(), Some("inner"));
}

#[anyio::test]
async fn timeout_errors_carry_the_reason_of_the_deadline() {
    let error = fail_after!(reason = "no answer", SHORT, { sleep_forever().await }).unwrap_err();
    assert_eq!(error.to_string(), "deadline exceeded: no answer");
    assert_eq!(error.reason(), Some("no answer"));
    let error = fail_after!(SHORT, { sleep_forever().await }).unwrap_err();
    assert_eq!(error.to_string(), "deadline exceeded");
    assert_eq!(error.reason(), None);
    assert!(error.is_deadline());
}

#[anyio::test]
async fn a_time_limit_cancelled_by_hand_tells_who_did_it_and_not_the_deadlines_reason() {
    let error = fail_after!(reason = "no answer", LONG, |scope| {
        scope.cancel_because("not needed any more");
        sleep_forever().await
    });
    let error = error.unwrap_err();
    assert!(!error.is_deadline());
    assert_eq!(error.reason(), Some("not needed any more"));
    assert!(error.to_string().ends_with(": not needed any more"));
}

#[anyio::test]
async fn a_timeout_error_becomes_an_io_error_of_its_kind() {
    async fn read() -> std::io::Result<()> {
        fail_after!(SHORT, { sleep_forever().await })?;
        Ok(())
    }
    let error = read().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "deadline exceeded");
}

#[anyio::test]
async fn a_cancelled_error_can_be_boxed_and_sent() {
    let ended = move_on_after!(LONG, |scope| {
        let inner = cancel_scope!(|inner| {
            inner.cancel_because("x");
            sleep_forever().await
        });
        let _ = scope;
        inner.unwrap_err()
    });
    let boxed: Box<dyn std::error::Error + Send + Sync> = ended.unwrap().into();
    assert!(boxed.to_string().ends_with(": x"));
}
