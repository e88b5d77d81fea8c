//! Groups inside foreign combinators, and foreign combinators inside groups.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use anyio::{
    cancel_scope, catch_cancelled, checkpoint, finally, shield, sleep_forever, task_group,
};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::support::{Log, settle};

/// A group of three children that borrow.
async fn sum_of(numbers: &[u32]) -> u32 {
    task_group!(|tg| {
        let handles: Vec<_> = numbers
            .iter()
            .map(|number| {
                tg.spawn(async move {
                    checkpoint().await;
                    *number
                })
            })
            .collect();
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    })
}

#[anyio::test]
async fn groups_run_in_join() {
    let (one, two) = futures::join!(sum_of(&[1, 2]), sum_of(&[3, 4, 5]));
    assert_eq!((one, two), (3, 12));
    let (one, two) = tokio::join!(sum_of(&[1, 2]), sum_of(&[3, 4, 5]));
    assert_eq!((one, two), (3, 12));
}

#[anyio::test]
async fn groups_run_in_futures_unordered() {
    let numbers: Vec<Vec<u32>> = (0..20).map(|n| (0..n).collect()).collect();
    let sums: FuturesUnordered<_> = numbers.iter().map(|numbers| sum_of(numbers)).collect();
    let mut sums: Vec<_> = sums.collect().await;
    sums.sort_unstable();
    let expected: Vec<u32> = (0..20).map(|n| (0..n).sum()).collect();
    assert_eq!(sums, expected);
}

#[anyio::test]
async fn groups_can_be_boxed_and_put_behind_a_trait_object() {
    let numbers = vec![1, 2, 3];
    let boxed: Pin<Box<dyn Future<Output = u32> + Send + '_>> = Box::pin(sum_of(&numbers));
    assert_eq!(boxed.await, 6);
}

#[cfg(feature = "tokio")]
#[anyio::test(backends = [tokio, tokio(flavor = "current_thread")])]
async fn groups_run_in_tasks_of_tokio() {
    let tasks: Vec<_> = (0..10u32)
        .map(|n| tokio::spawn(async move { sum_of(&[n, 2 * n]).await }))
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), 3 * n as u32);
    }
}

#[anyio::test]
async fn a_child_can_be_a_set_of_futures() {
    let count = AtomicU32::new(0);
    task_group!(|tg| {
        tg.spawn(async {
            let mut parts: FuturesUnordered<_> = (0..10)
                .map(|n| {
                    let count = &count;
                    async move {
                        for _ in 0..n {
                            checkpoint().await;
                        }
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
                .collect();
            while parts.next().await.is_some() {}
        });
        tg.spawn(async {
            futures::join!(checkpoint(), settle());
            count.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(count.into_inner(), 11);
}

#[anyio::test]
async fn parts_of_a_child_that_clean_up_below_a_foreign_combinator_are_waited_for() {
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            let parts: FuturesUnordered<_> = (0..3)
                .map(|_| async {
                    finally!({ sleep_forever().await }, {
                        settle().await;
                        log.note("cleaned up");
                    });
                })
                .collect();
            parts.collect::<Vec<_>>().await;
            log.note("never");
        });
        settle().await;
        tg.cancel();
    });
    assert_eq!(log.entries(), ["cleaned up"; 3]);
}

#[anyio::test]
async fn a_group_below_a_foreign_combinator_is_cancelled_by_the_scope_around_both() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        let group = async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _ = catch_cancelled(sleep_forever()).await;
                    shield!({ settle().await });
                    log.note("child");
                    checkpoint().await;
                    log.note("never");
                });
            });
            log.note("never");
        };
        let canceller = async {
            settle().await;
            scope.cancel();
            let _ = catch_cancelled(sleep_forever()).await;
            log.note("canceller");
        };
        futures::join!(group, canceller);
    });
    assert!(ended.is_err());
    let mut entries = log.entries();
    entries.sort();
    assert_eq!(entries, ["canceller", "child"]);
}

#[anyio::test]
async fn a_child_that_loses_a_foreign_race_is_the_business_of_that_race() {
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            tokio::select! {
                () = async {
                    let _guard = log.when_dropped("the loser was dropped");
                    sleep_forever().await;
                } => {}
                () = settle() => {}
            }
            log.note("the child goes on");
        });
    });
    assert_eq!(
        log.entries(),
        ["the loser was dropped", "the child goes on"]
    );
}

#[anyio::test]
async fn streams_of_other_crates_are_consumed_by_children() {
    let mut total = 0;
    let (send, receive) = async_channel::bounded(2);
    task_group!(|tg| {
        tg.spawn(async move {
            for n in 1..=10 {
                send.send(n).await.unwrap();
            }
        });
        tg.spawn(async {
            let mut receive = std::pin::pin!(receive);
            while let Some(n) = receive.next().await {
                total += n;
            }
        });
    });
    assert_eq!(total, 55);
}
