//! The eight forms of time limits, and what each gives.

use std::time::Duration;

use anyio::{checkpoint, current_time, sleep_forever};

use crate::support::{LONG, SHORT, checkpoints};

#[anyio::test]
async fn in_time_each_gives_the_value() {
    let late = current_time() + LONG;
    assert_eq!(anyio::move_on_after!(LONG, { 1 }), Some(1));
    assert_eq!(anyio::move_on_at!(late, { 2 }), Some(2));
    assert_eq!(anyio::fail_after!(LONG, { 3 }).unwrap(), 3);
    assert_eq!(anyio::fail_at!(late, { 4 }).unwrap(), 4);
    assert_eq!(anyio::move_on_after(LONG, async { 5 }).await, Some(5));
    assert_eq!(anyio::move_on_at(late, async { 6 }).await, Some(6));
    assert_eq!(anyio::fail_after(LONG, async { 7 }).await.unwrap(), 7);
    assert_eq!(anyio::fail_at(late, async { 8 }).await.unwrap(), 8);
}

#[anyio::test]
async fn out_of_time_each_says_so() {
    let soon = || current_time() + SHORT;
    assert!(anyio::move_on_after!(SHORT, { sleep_forever().await }).is_none());
    assert!(anyio::move_on_at!(soon(), { sleep_forever().await }).is_none());
    assert!(anyio::fail_after!(SHORT, { sleep_forever().await }).is_err());
    assert!(anyio::fail_at!(soon(), { sleep_forever().await }).is_err());
    assert!(anyio::move_on_after(SHORT, sleep_forever()).await.is_none());
    assert!(anyio::move_on_at(soon(), sleep_forever()).await.is_none());
    assert!(anyio::fail_after(SHORT, sleep_forever()).await.is_err());
    assert!(anyio::fail_at(soon(), sleep_forever()).await.is_err());
}

#[anyio::test]
async fn out_of_time_at_entry_each_gives_what_is_ready_at_once() {
    let past = current_time();
    assert_eq!(anyio::move_on_after!(0s, { 1 }), Some(1));
    assert_eq!(anyio::move_on_at!(past, { 2 }), Some(2));
    assert_eq!(anyio::fail_after!(0s, { 3 }).unwrap(), 3);
    assert_eq!(anyio::fail_at!(past, { 4 }).unwrap(), 4);
    assert_eq!(
        anyio::move_on_after(Duration::ZERO, async { 5 }).await,
        Some(5)
    );
    assert_eq!(anyio::move_on_at(past, async { 6 }).await, Some(6));
    assert_eq!(
        anyio::fail_after(Duration::ZERO, async { 7 })
            .await
            .unwrap(),
        7
    );
    assert_eq!(anyio::fail_at(past, async { 8 }).await.unwrap(), 8);
}

#[anyio::test]
async fn out_of_time_at_entry_each_is_cancelled_where_it_suspends() {
    let past = current_time();
    assert!(anyio::move_on_after!(0s, { checkpoint().await }).is_none());
    assert!(anyio::move_on_at!(past, { checkpoint().await }).is_none());
    assert!(anyio::fail_after!(0s, { checkpoint().await }).is_err());
    assert!(anyio::fail_at!(past, { checkpoint().await }).is_err());
    assert!(
        anyio::move_on_after(Duration::ZERO, checkpoint())
            .await
            .is_none()
    );
    assert!(anyio::move_on_at(past, checkpoint()).await.is_none());
    assert!(
        anyio::fail_after(Duration::ZERO, checkpoint())
            .await
            .is_err()
    );
    assert!(anyio::fail_at(past, checkpoint()).await.is_err());
}

#[anyio::test]
async fn the_macros_take_a_future_too() {
    assert_eq!(anyio::move_on_after!(LONG, checkpoints(2)), Some(()));
    assert!(anyio::fail_after!(SHORT, sleep_forever()).is_err());
    assert!(anyio::move_on_at!(current_time() + SHORT, sleep_forever()).is_none());
    assert!(anyio::fail_at!(current_time() + SHORT, sleep_forever()).is_err());
}

#[anyio::test]
async fn a_value_that_comes_after_the_deadline_but_without_a_suspension_in_between_is_kept() {
    // The body is over time, but nothing was cut short.
    let value = anyio::fail_after!(LONG, |scope| {
        checkpoint().await;
        scope.set_deadline(current_time());
        assert!(scope.cancel_called());
        "late"
    });
    assert_eq!(value.unwrap(), "late");
}

#[anyio::test]
async fn a_limit_cancelled_by_hand_is_no_timeout_but_the_work_is_gone() {
    let ended = anyio::move_on_after!(LONG, |scope| {
        scope.cancel();
        sleep_forever().await
    });
    assert!(ended.is_none());
    let ended = anyio::fail_after!(LONG, |scope| {
        scope.cancel();
        sleep_forever().await
    });
    assert!(!ended.unwrap_err().is_deadline());
}

#[anyio::test]
async fn a_limit_whose_deadline_passed_after_it_was_cancelled_by_hand_is_still_no_timeout() {
    let ended = anyio::fail_after!(LONG, |scope| {
        scope.cancel();
        scope.set_deadline(current_time());
        sleep_forever().await
    });
    assert!(!ended.unwrap_err().is_deadline());
}

#[anyio::test]
async fn a_limit_that_fails_lets_the_code_after_it_go_on() {
    let mut log = Vec::new();
    for _ in 0..2 {
        if anyio::fail_after!(SHORT, { sleep_forever().await }).is_err() {
            log.push("timed out");
        }
        checkpoint().await;
    }
    assert_eq!(log, ["timed out"; 2]);
}

#[anyio::test]
async fn an_inner_limit_that_runs_out_leaves_the_outer_one_running() {
    let ended = anyio::move_on_after!(LONG, {
        let inner = anyio::move_on_after!(SHORT, { sleep_forever().await });
        checkpoint().await;
        inner
    });
    assert_eq!(ended, Some(None));
}

#[anyio::test]
async fn an_outer_limit_that_runs_out_ends_the_inner_one_with_it() {
    let mut after = false;
    let ended = anyio::fail_after!(SHORT, {
        let _ = anyio::fail_after!(LONG, { sleep_forever().await });
        after = true;
    });
    assert!(ended.is_err());
    assert!(!after);
}

#[anyio::test]
async fn limits_of_the_same_length_are_the_outermost_ones() {
    let mut after = 0;
    let deadline = current_time() + SHORT;
    let ended = anyio::move_on_at!(deadline, {
        let _ = anyio::move_on_at!(deadline, {
            let _ = anyio::move_on_at!(deadline, { sleep_forever().await });
            after += 1;
        });
        after += 1;
    });
    assert!(ended.is_none());
    assert_eq!(after, 0);
}

#[anyio::test]
async fn a_limit_is_inferred_from_numbers_and_expressions() {
    let millis = |n| Duration::from_millis(n);
    assert!(anyio::move_on_after!(1ms, { sleep_forever().await }).is_none());
    assert!(anyio::move_on_after!(1500us, { sleep_forever().await }).is_none());
    assert!(anyio::move_on_after!(millis(1), { sleep_forever().await }).is_none());
    assert!(anyio::move_on_after!(2 * 1ms, { sleep_forever().await }).is_none());
}
