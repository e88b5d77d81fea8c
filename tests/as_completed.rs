//! Manual: docs/manual/tasks.md

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyio::{
    as_completed, cancel_scope, catch_cancelled, checkpoint, shield, sleep_forever, task_group,
};
use futures::channel::oneshot;
use futures::{FutureExt as _, Stream as _, StreamExt as _};

async fn after(checkpoints: u32) -> u32 {
    for _ in 0..checkpoints {
        checkpoint().await;
    }
    checkpoints
}

async fn settle() {
    after(20).await;
}

async fn fail(text: &'static str) -> Result<u32, &'static str> {
    checkpoint().await;
    Err(text)
}

/// Counts how often it is dropped.
struct Token<'a>(&'a AtomicUsize);

impl Drop for Token<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[anyio::test]
async fn handles_come_in_the_order_in_which_the_tasks_end() {
    let order = task_group!(|tg| {
        let mut ended = as_completed([5, 1, 3].map(|n| tg.spawn(after(n * 5))));
        let mut order = Vec::new();
        while let Some(handle) = ended.next().await {
            assert!(handle.is_finished());
            order.push(handle.await / 5);
        }
        assert!(ended.next().await.is_none());
        order
    });
    assert_eq!(order, [1, 3, 5]);
}

#[anyio::test]
async fn tasks_that_had_ended_before_are_given_too() {
    task_group!(|tg| {
        let handles: Vec<_> = (0..5).map(|n| tg.spawn(after(n))).collect();
        settle().await;
        let ended: Vec<_> = as_completed(handles).collect().await;
        assert_eq!(ended.len(), 5);
    });
}

#[anyio::test]
async fn it_is_a_stream_that_knows_its_length() {
    task_group!(|tg| {
        let mut ended = as_completed((0..4).map(|n| tg.spawn(after(n))));
        assert_eq!(ended.size_hint(), (4, Some(4)));
        let first = futures::StreamExt::next(&mut ended).await.unwrap();
        assert_eq!(first.await, 0);
        assert_eq!(ended.size_hint(), (3, Some(3)));
        assert!(format!("{ended:?}").contains("left: 3"));
        let rest: Vec<u32> = ended.then(|handle| handle).collect().await;
        assert_eq!(rest, [1, 2, 3]);
    });
}

#[anyio::test]
async fn left_early_it_cancels_the_rest() {
    let dropped = AtomicUsize::new(0);
    let first = task_group!(|tg| {
        let never = |_| {
            tg.spawn(async {
                let _token = Token(&dropped);
                sleep_forever().await;
                "slow"
            })
        };
        let mut handles: Vec<_> = (0..3).map(never).collect();
        handles.push(tg.spawn(async { "fast" }));
        let mut ended = as_completed(handles);
        let first = ended.next().await.unwrap();
        first.await
    });
    assert_eq!(first, "fast");
    assert_eq!(dropped.into_inner(), 3);
}

#[anyio::test]
async fn left_early_it_does_not_cancel_the_group_or_other_tasks() {
    task_group!(|tg| {
        let other = tg.spawn(after(30));
        let mut ended = as_completed([tg.spawn(after(0)), tg.spawn(after(1_000_000))]);
        ended.next().await.unwrap();
        drop(ended);
        settle().await;
        assert!(!tg.cancel_scope().cancel_called());
        assert_eq!(tg.statistics().tasks, 1);
        assert_eq!(other.await, 30);
    });
}

#[anyio::test]
async fn a_failure_cancels_the_group_and_comes_out_at_its_end() {
    let given = AtomicUsize::new(0);
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let handles = [tg.spawn(pending()), tg.spawn(fail("the second"))];
        let mut ended = as_completed(handles);
        while ended.next().await.is_some() {
            given.fetch_add(1, Ordering::Relaxed);
        }
        unreachable!("cancelled in the second `next`")
    });
    assert_eq!(result.unwrap_err().into_first(), "the second");
    // The wait was over before the cancellation got to it.
    assert_eq!(given.into_inner(), 1);
}

#[anyio::test]
async fn failed_and_cancelled_tasks_are_given_inside_a_shield() {
    let given = AtomicUsize::new(0);
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let handles = [tg.spawn(pending()), tg.spawn(fail("the second"))];
        shield!({
            let mut ended = as_completed(handles);
            while let Some(handle) = ended.next().await {
                assert!(handle.join().await.is_err());
                given.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    });
    assert_eq!(result.unwrap_err().len(), 1);
    assert_eq!(given.into_inner(), 2);
}

#[anyio::test]
async fn a_next_that_is_cancelled_loses_nothing() {
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let mut ended = as_completed([tg.spawn(async { released.await.unwrap() })]);
        for _ in 0..3 {
            let cancelled = cancel_scope!(|scope| {
                scope.cancel();
                ended.next().await.is_some()
            });
            assert!(cancelled.is_err());
            assert!(futures::poll!(pin!(ended.next())).is_pending());
        }
        release.send(()).unwrap();
        assert!(ended.next().await.is_some());
        assert!(ended.next().await.is_none());
    });
}

#[anyio::test]
async fn next_is_a_checkpoint() {
    let caught = AtomicUsize::new(0);
    task_group!(|tg| {
        let mut ended = as_completed([tg.spawn(async {})]);
        settle().await;
        tg.cancel();
        if catch_cancelled(ended.next()).await.is_err() {
            caught.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(caught.into_inner(), 1);
}

#[anyio::test]
async fn tasks_keep_their_names() {
    task_group!(|tg| {
        let handles = [
            tg.spawn(after(0)),
            tg.spawn(after(5)).named("a name of its own"),
        ];
        let mut ended = as_completed(handles);
        let first = ended.next().await.unwrap().name();
        assert!(first.ends_with("::after"), "{first}");
        assert_eq!(ended.next().await.unwrap().name(), "a name of its own");
    });
}

#[anyio::test]
async fn parallel_tasks_are_given_as_they_end() {
    let sum = task_group!(|tg| {
        let mut ended = as_completed((0..10).map(|n| tg.spawn_parallel(after(n))));
        let mut sum = 0;
        while let Some(handle) = ended.next().await {
            sum += handle.await;
        }
        sum
    });
    assert_eq!(sum, 45);
}

#[anyio::test]
async fn of_no_tasks_the_first_cannot_be_waited_for() {
    let waited = AssertUnwindSafe(async {
        task_group!(|_tg| drop(as_completed(Vec::<anyio::TaskHandle<'_, ()>>::new())));
    });
    let payload = waited.catch_unwind().await.unwrap_err();
    assert_eq!(
        payload.downcast_ref(),
        Some(&"`as_completed` needs at least one task")
    );
}

#[anyio::test]
async fn dropped_from_outside_nothing_is_kept() {
    let counted = Arc::new(());
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                let handles = (0..3).map(|n| {
                    let counted = Arc::clone(&counted);
                    tg.spawn(async move {
                        if n > 0 {
                            sleep_forever().await;
                        }
                        counted
                    })
                });
                let mut ended = as_completed(handles.collect::<Vec<_>>());
                let _first = ended.next().await;
                ended.next().await;
            });
        });
        for _ in 0..5 {
            assert!(futures::poll!(group.as_mut()).is_pending());
        }
        assert_eq!(Arc::strong_count(&counted), 4);
    }
    assert_eq!(Arc::strong_count(&counted), 1);
}
