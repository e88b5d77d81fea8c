//! Handles of children.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use anyio::{
    TaskError, TaskState, as_completed, catch_cancelled, checkpoint, shield, sleep_forever,
    task_group,
};
use futures::channel::oneshot;

use super::support::{Log, panic_of, settle, when_dropped};

#[anyio::test]
async fn awaiting_a_handle_gives_the_value() {
    task_group!(|tg| {
        let sum = tg.spawn(async {
            checkpoint().await;
            2 + 4
        });
        assert_eq!(sum.await, 6);
    });
}

#[anyio::test]
async fn a_value_can_be_looked_at_any_number_of_times_once_it_is_there() {
    task_group!(|tg| {
        let handle = tg.spawn(async { String::from("value") });
        assert_eq!(handle.status(), TaskState::Pending);
        assert_eq!(handle.value(), Err(TaskError::NotFinished));
        assert!(!handle.is_finished());
        handle.wait().await;
        assert_eq!(handle.status(), TaskState::Finished);
        assert!(handle.is_finished());
        for _ in 0..3 {
            assert_eq!(handle.value().unwrap(), "value");
        }
        assert_eq!(handle.join().await.unwrap(), "value");
    });
}

#[anyio::test]
async fn dropping_a_handle_changes_nothing() {
    let ended = AtomicBool::new(false);
    task_group!(|tg| {
        drop(tg.spawn(async {
            settle().await;
            ended.store(true, Ordering::Relaxed);
        }));
    });
    assert!(ended.into_inner());
}

#[anyio::test]
async fn a_value_that_nobody_asks_for_is_dropped_with_its_child() {
    let dropped = AtomicU32::new(0);
    let value = || {
        when_dropped(|| {
            dropped.fetch_add(1, Ordering::Relaxed);
        })
    };
    task_group!(|tg| {
        drop(tg.spawn(async { value() }));
        let kept = tg.spawn(async { value() });
        kept.wait().await;
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
        drop(kept);
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
        let forgotten_in_the_body = tg.spawn(async { value() });
        forgotten_in_the_body.wait().await;
    });
    assert_eq!(dropped.into_inner(), 3);
}

#[anyio::test]
async fn many_may_wait_for_one_child() {
    let count = AtomicU32::new(0);
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let child = Arc::new(tg.spawn(async { released.await.unwrap() }));
        for _ in 0..5 {
            let child = Arc::clone(&child);
            let count = &count;
            tg.spawn(async move {
                child.wait().await;
                child.wait().await;
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
        settle().await;
        assert_eq!(count.load(Ordering::Relaxed), 0);
        release.send(()).unwrap();
    });
    assert_eq!(count.into_inner(), 5);
}

/// A wait that could not be sent could not be awaited in a child.
#[anyio::test]
async fn waits_and_joins_can_be_sent() {
    fn send<T: Send>(future: T) -> T {
        future
    }

    task_group!(|tg| {
        let child = tg.spawn(async { 5 });
        send(child.wait()).await;
        send(as_completed([tg.spawn(checkpoint())]).next()).await;
        assert_eq!(send(child.join()).await, Ok(5));
    });
}

#[anyio::test]
async fn one_wait_that_is_given_up_does_not_hurt_the_others() {
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let child = tg.spawn(async { released.await.unwrap() });
        {
            let mut given_up = pin!(child.wait());
            assert!(futures::poll!(given_up.as_mut()).is_pending());
        }
        tg.spawn(async {
            settle().await;
            release.send(()).unwrap();
        });
        child.wait().await;
    });
}

#[anyio::test]
async fn a_wait_notices_that_it_is_polled_by_another_waker() {
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let child = tg.spawn(async { released.await.unwrap() });
        let mut wait = Box::pin(child.wait());
        let mut cx = Context::from_waker(Waker::noop());
        // The first poll passes the checkpoint and registers a waker that nobody hears.
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        tg.spawn(async {
            settle().await;
            release.send(()).unwrap();
        });
        wait.await;
    });
}

#[anyio::test]
async fn a_handle_can_be_sent_to_a_sibling_and_awaited_there() {
    let mut got = 0;
    task_group!(|tg| {
        let (give, take) = oneshot::channel();
        let child = tg.spawn(async {
            settle().await;
            9
        });
        tg.spawn(async { got = take.await.unwrap().await });
        assert!(give.send(child).is_ok());
    });
    assert_eq!(got, 9);
}

#[anyio::test]
async fn joining_says_how_a_child_ended() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let well = tg.spawn(async { Ok(1) });
        assert_eq!(well.join().await, Ok(1));
        let cancelled = tg.spawn(std::future::pending::<Result<(), _>>());
        cancelled.cancel();
        assert_eq!(cancelled.join().await, Err(TaskError::Cancelled));
        let failed = tg.spawn(async { Err::<(), _>("error") });
        shield!({
            assert_eq!(failed.join().await, Err(TaskError::Failed));
            log.note("all told");
        });
        Ok(())
    });
    assert_eq!(result.unwrap_err().into_first(), "error");
    assert_eq!(log.entries(), ["all told"]);
}

#[anyio::test]
async fn waiting_for_a_failed_child_gives_no_error_and_takes_none_from_the_group() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let failed = tg.spawn(async { Err::<(), _>("error") });
        assert_eq!(failed.status(), TaskState::Pending);
        shield!({
            failed.wait().await;
            failed.wait().await;
            log.note(format!("{:?} {:?}", failed.status(), failed.value()));
        });
        Ok(())
    });
    assert_eq!(log.entries(), ["Failed Err(Failed)"]);
    assert_eq!(result.unwrap_err().into_first(), "error");
}

#[anyio::test]
async fn awaiting_a_child_that_fails_is_cancelled_with_the_group() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let failed = tg.spawn(async {
            settle().await;
            Err::<u32, _>("error")
        });
        log.note("waiting");
        let value = failed.await;
        log.note(format!("never {value}"));
        Ok(())
    });
    assert_eq!(log.entries(), ["waiting"]);
    assert_eq!(result.unwrap_err().into_first(), "error");
}

#[anyio::test]
async fn awaiting_a_failed_child_by_value_inside_a_shield_panics() {
    let text = panic_of(async {
        task_group!(|tg| -> Result<(), &'static str> {
            let failed = tg.spawn(async { Err::<(), _>("error") }).named("failing");
            shield!({ failed.await });
            Ok(())
        })
    })
    .await;
    assert!(text.contains("task `failing`: the task failed"), "{text}");
}

#[anyio::test]
async fn waiting_for_a_child_is_a_checkpoint() {
    let log = Log::default();
    task_group!(|tg| {
        let child = tg.spawn(async { 5 });
        settle().await;
        assert!(child.is_finished());
        tg.cancel();
        // Ended long ago, but the wait does not return in a cancelled group.
        let waited = catch_cancelled(child.wait()).await;
        log.note(format!("wait {}", waited.is_err()));
        let joined = catch_cancelled(child.join()).await;
        log.note(format!("join {}", joined.is_err()));
    });
    assert_eq!(log.entries(), ["wait true", "join true"]);
}

#[anyio::test]
async fn a_wait_that_is_cancelled_does_nothing_to_the_child() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let child = tg.spawn(async { released.await.unwrap() });
        let ended = anyio::cancel_scope!(|scope| {
            scope.cancel();
            child.wait().await
        });
        assert!(ended.is_err());
        assert_eq!(child.status(), TaskState::Pending);
        release.send(()).unwrap();
        assert_eq!(child.join().await, Ok(()));
        log.note("joined");
    });
    assert_eq!(log.entries(), ["joined"]);
}

#[anyio::test]
async fn a_handle_polled_after_it_gave_its_value_panics_with_a_clear_text() {
    let text = panic_of(async {
        task_group!(|tg| {
            let mut child = tg.spawn(async { 5 });
            assert_eq!((&mut child).await, 5);
            (&mut child).await;
        })
    })
    .await;
    assert_eq!(
        text,
        "a task handle was polled after it had given its value"
    );
}

#[anyio::test]
async fn a_look_at_a_value_that_was_taken_says_so() {
    let text = panic_of(async {
        task_group!(|tg| {
            let mut child = tg.spawn(async { String::from("taken") });
            drop((&mut child).await);
            let _ = child.value();
        })
    })
    .await;
    assert!(text.contains("given its value"), "{text}");
}

#[anyio::test]
async fn handles_can_be_told_apart_in_a_select() {
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let mut slow = tg.spawn(async { released.await.unwrap() });
        let mut fast = tg.spawn(async { "fast" });
        let first = tokio::select! {
            () = &mut slow => "slow",
            name = &mut fast => name,
        };
        assert_eq!(first, "fast");
        assert!(!slow.is_finished());
        release.send(()).unwrap();
        slow.await;
    });
}

#[anyio::test]
async fn handles_can_be_awaited_by_futures_unordered() {
    let sum = task_group!(|tg| {
        let mut handles: futures::stream::FuturesUnordered<_> = (1..=10)
            .map(|n| {
                tg.spawn(async move {
                    for _ in 0..n {
                        checkpoint().await;
                    }
                    n
                })
            })
            .collect();
        let mut sum = 0;
        while let Some(n) = futures::StreamExt::next(&mut handles).await {
            sum += n;
        }
        sum
    });
    assert_eq!(sum, 55);
}

#[anyio::test]
async fn a_wait_in_progress_ends_with_the_group_that_is_dropped() {
    let log = Log::default();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                let child = tg.spawn(sleep_forever());
                let mut ended = as_completed([child]);
                let _guard = log.when_dropped("body dropped");
                ended.next().await;
            });
        });
        for _ in 0..5 {
            assert!(matches!(futures::poll!(group.as_mut()), Poll::Pending));
        }
    }
    assert_eq!(log.entries(), ["body dropped"]);
}
