//! The clock, sleeping, giving way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyio::{
    checkpoint, current_time, sleep, sleep_forever, sleep_until, task_group, try_current_time,
};

use crate::support::{LONG, SHORT};

#[anyio::test]
async fn sleep_takes_at_least_its_time() {
    let before = current_time();
    sleep(SHORT).await;
    assert!(current_time() >= before + SHORT);
    let until = current_time() + SHORT;
    sleep_until(until).await;
    assert!(current_time() >= until);
}

/// Whether another task ran while `inside` was awaited.
async fn lets_others_run(inside: impl Future<Output = ()> + Send) -> bool {
    let ran = AtomicUsize::new(0);
    task_group!(|tg| {
        tg.spawn(async { ran.store(1, Ordering::Relaxed) });
        inside.await;
        ran.load(Ordering::Relaxed) == 1
    })
}

#[anyio::test]
async fn sleeping_for_no_time_still_lets_others_run() {
    assert!(lets_others_run(sleep(Duration::ZERO)).await);
    assert!(lets_others_run(sleep_until(current_time())).await);
    assert!(lets_others_run(sleep_until(current_time() - SHORT)).await);
    assert!(!lets_others_run(std::future::ready(())).await);
}

#[anyio::test]
async fn sleeping_for_no_time_is_cancelled_all_the_same() {
    for nap in [sleep(Duration::ZERO), sleep_until(current_time())] {
        let ended = anyio::cancel_scope!(|scope| {
            scope.cancel();
            nap.await;
        });
        assert!(ended.is_err());
    }
}

#[anyio::test]
async fn sleeping_longer_than_the_clock_can_say_ends_only_by_cancellation() {
    assert!(anyio::move_on_after!(1ms, { sleep(Duration::MAX).await }).is_none());
    assert!(anyio::move_on_after!(1ms, { sleep_forever().await }).is_none());
}

#[anyio::test]
async fn a_sleep_that_is_dropped_and_one_that_is_never_awaited_do_nothing() {
    drop(sleep(LONG));
    let mut nap = Box::pin(sleep(LONG));
    assert!(futures::poll!(&mut nap).is_pending());
    drop(nap);
    checkpoint().await;
}

#[anyio::test]
async fn the_clock_goes_forward() {
    let mut last: Instant = current_time();
    for _ in 0..100 {
        let now = try_current_time().unwrap();
        assert!(now >= last);
        last = now;
        checkpoint().await;
    }
}

#[anyio::test]
async fn a_loop_over_operations_that_are_always_ready_gives_way_to_others() {
    let turns = AtomicUsize::new(0);
    let seen = task_group!(|tg| {
        let task = tg.spawn(async {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                checkpoint().await;
            }
        });
        let done = tg.spawn(async {});
        for _ in 0..1000 {
            done.wait().await;
        }
        task.cancel();
        turns.load(Ordering::Relaxed)
    });
    assert!(seen > 0);
}
