//! What is cancelled, and when: suspensions, again and again, results first.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use anyio::lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled};
use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, move_on_after, move_on_at, shield,
    sleep, sleep_forever, sleep_until, task_group, to_thread,
};

use crate::support::{Boxed, LONG, SHORT, checkpoints, poll_once};

/// Counts how often other tasks were let run, while `inside` runs.
async fn turns_during(inside: impl Future<Output = ()> + Send) -> usize {
    let turns = AtomicUsize::new(0);
    let at_end = AtomicUsize::new(0);
    task_group!(|tg| {
        tg.spawn(async {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                checkpoint().await;
            }
        });
        checkpoints(2).await;
        let before = turns.load(Ordering::Relaxed);
        inside.await;
        at_end.store(turns.load(Ordering::Relaxed) - before, Ordering::Relaxed);
        tg.cancel();
    });
    at_end.into_inner()
}

#[anyio::test]
async fn checkpoint_lets_others_run() {
    assert!(turns_during(checkpoint()).await >= 1);
    assert!(turns_during(checkpoints(10)).await >= 10);
}

#[anyio::test]
async fn checkpoint_is_cancelled() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        checkpoint().await;
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn checkpoint_if_cancelled_does_not_let_others_run() {
    let mut gate = Box::pin(checkpoint_if_cancelled());
    assert!(poll_once(&mut gate).await.is_ready());
    assert_eq!(turns_during(checkpoint_if_cancelled()).await, 0);
}

#[anyio::test]
async fn checkpoint_if_cancelled_is_cancelled() {
    let ended = cancel_scope!(|scope| {
        checkpoint_if_cancelled().await;
        scope.cancel();
        checkpoint_if_cancelled().await;
        unreachable!()
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn cancel_shielded_checkpoint_lets_others_run_and_goes_on() {
    assert!(turns_during(cancel_shielded_checkpoint()).await >= 1);
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        for _ in 0..5 {
            cancel_shielded_checkpoint().await;
        }
        "through"
    });
    assert_eq!(ended.unwrap(), "through");
}

#[anyio::test]
async fn every_suspension_in_a_cancelled_scope_is_cancelled_again() {
    let mut caught = 0;
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        for _ in 0..4 {
            assert!(catch_cancelled(sleep_forever()).await.is_err());
            caught += 1;
        }
        assert!(catch_cancelled(checkpoint()).await.is_err());
        assert!(catch_cancelled(sleep(LONG)).await.is_err());
        checkpoint().await;
        caught = 0;
    });
    assert!(ended.is_err());
    assert_eq!(caught, 4);
}

/// Each operation of the crate that waits.
fn operations<'a>(done: &'a AtomicUsize) -> Vec<(&'static str, Boxed<'a, ()>)> {
    let count = || {
        done.fetch_add(1, Ordering::Relaxed);
    };
    let past = anyio::current_time();
    vec![
        ("checkpoint", Box::pin(checkpoint())),
        (
            "checkpoint_if_cancelled",
            Box::pin(checkpoint_if_cancelled()),
        ),
        ("sleep", Box::pin(sleep(SHORT))),
        (
            "sleep for nothing",
            Box::pin(sleep(std::time::Duration::ZERO)),
        ),
        ("sleep_until", Box::pin(sleep_until(past))),
        ("sleep_forever", Box::pin(async { sleep_forever().await })),
        (
            "run_sync",
            Box::pin(async move { to_thread::run_sync(|| ()).await }),
        ),
        (
            "a task that is ready",
            Box::pin(async move {
                task_group!(|tg| {
                    tg.spawn(async {}).await;
                    count();
                });
            }),
        ),
    ]
}

#[anyio::test]
async fn no_operation_of_the_crate_returns_in_a_cancelled_scope() {
    let done = AtomicUsize::new(0);
    for (name, operation) in operations(&done) {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            operation.await;
            unreachable!("{name} returned");
        });
        assert!(ended.is_err(), "{name}");
    }
    assert_eq!(done.into_inner(), 0);
}

#[anyio::test]
async fn a_blocking_call_in_a_cancelled_scope_is_not_made() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        to_thread::run_sync(|| CALLS.fetch_add(1, Ordering::Relaxed)).await
    });
    assert!(ended.is_err());
    to_thread::run_sync(|| ()).await;
    assert_eq!(CALLS.load(Ordering::Relaxed), 0);
}

#[anyio::test]
async fn the_result_of_a_blocking_call_is_kept_when_the_caller_is_cancelled_meanwhile() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let mut got = None;
    let ended = cancel_scope!(|scope| {
        let mut call = Box::pin(to_thread::run_sync(move || {
            wait.recv().unwrap();
            5
        }));
        assert!(poll_once(&mut call).await.is_pending());
        scope.cancel();
        go.send(()).unwrap();
        got = Some(call.await);
        checkpoint().await;
        got = None;
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(5));
}

#[anyio::test]
async fn a_result_that_is_there_comes_before_the_cancellation() {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let mut got = None;
    let ended = cancel_scope!(|scope| {
        let mut receiver = receiver;
        assert!(poll_once(&mut receiver).await.is_pending());
        sender.send(5).unwrap();
        scope.cancel();
        got = Some(receiver.await.unwrap());
        checkpoint().await;
        got = None;
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(5));
}

#[anyio::test]
async fn an_item_handed_to_a_waiting_receiver_is_not_lost_to_a_cancellation() {
    let (items, queue) = async_channel::bounded(1);
    let got = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let receiver = tg.spawn(async move {
            let mut got = None;
            let ended = scope
                .run(async {
                    got = queue.recv().await.ok();
                    sleep_forever().await;
                })
                .await;
            assert!(ended.is_err());
            got
        });
        checkpoint().await;
        items.send("item").await.unwrap();
        handle.cancel();
        receiver.await
    });
    assert_eq!(got, Some("item"));
}

#[anyio::test]
async fn a_woken_task_is_polled_before_it_is_cancelled_also_if_the_wake_came_second() {
    let mut got = None;
    let ended = cancel_scope!(|scope| {
        let (sender, receiver) = futures::channel::oneshot::channel();
        task_group!(|tg| {
            tg.spawn(async {
                got = receiver.await.ok();
                sleep_forever().await;
            });
            checkpoint().await;
            scope.cancel();
            sender.send(1).unwrap();
        });
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(1));
}

#[anyio::test]
async fn a_task_woken_in_the_pass_that_cancels_gets_its_result_first() {
    let mut got = None;
    let ended = cancel_scope!(|scope| {
        let (go, started) = futures::channel::oneshot::channel();
        let (sender, receiver) = futures::channel::oneshot::channel();
        task_group!(|tg| {
            tg.spawn(async {
                got = receiver.await.ok();
                sleep_forever().await;
            });
            tg.spawn(shield(async {
                started.await.unwrap();
                sender.send(3).unwrap();
            }));
            checkpoints(2).await;
            go.send(()).unwrap();
            scope.cancel();
        });
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(3));
}

#[anyio::test]
async fn a_shielded_task_woken_by_the_drop_of_another_goes_on() {
    struct SendOnDrop(Option<futures::channel::oneshot::Sender<u32>>);
    impl Drop for SendOnDrop {
        fn drop(&mut self) {
            self.0.take().unwrap().send(3).unwrap();
        }
    }
    let mut got = None;
    let ended = cancel_scope!(|scope| {
        let (sender, receiver) = futures::channel::oneshot::channel();
        task_group!(|tg| {
            tg.spawn(shield(async { got = receiver.await.ok() }));
            tg.spawn(async move {
                let _sends = SendOnDrop(Some(sender));
                sleep_forever().await;
            });
            checkpoints(2).await;
            scope.cancel();
        });
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(3));
}

#[anyio::test]
async fn a_busy_loop_over_ready_operations_notices_its_deadline() {
    let (items, queue) = async_channel::unbounded();
    let ended = move_on_after!(SHORT, {
        loop {
            items.send(()).await.unwrap();
            queue.recv().await.unwrap();
            checkpoint().await;
        }
    });
    assert_eq!(ended, None::<()>);
}

#[anyio::test]
async fn an_operation_of_the_crate_that_is_always_ready_gives_way_in_time() {
    let turns = turns_during(async {
        for _ in 0..1000 {
            task_group!(|tg| {
                tg.spawn(async {}).await;
            });
        }
    });
    assert!(turns.await > 0);
}

#[anyio::test]
async fn a_foreign_future_that_is_ready_is_not_cancelled() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let mut sum = 0;
        for n in 0..100 {
            sum += std::future::ready(n).await;
        }
        sum
    });
    assert_eq!(ended.unwrap(), 4950);
}

#[anyio::test]
async fn a_foreign_future_that_yields_is_cancelled_where_it_yields() {
    let mut reached = false;
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        reached = true;
    });
    assert!(ended.is_err());
    assert!(!reached);
}

#[anyio::test]
async fn a_deadline_in_the_past_cancels_the_first_suspension_only() {
    let past = anyio::current_time();
    assert_eq!(move_on_at!(past, { 5 }), Some(5));
    let mut log = Vec::new();
    let ended = move_on_at!(past, {
        log.push("runs");
        shield(checkpoint()).await;
        log.push("shielded");
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_none());
    assert_eq!(log, ["runs", "shielded"]);
}

#[anyio::test]
async fn a_new_task_in_a_cancelled_scope_runs_to_its_first_suspension() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        task_group!(|tg| {
            tg.spawn(async {
                log.push("begun");
                checkpoint().await;
                log.push("never");
            });
        });
    });
    assert!(ended.is_err());
    assert_eq!(log, ["begun"]);
}
