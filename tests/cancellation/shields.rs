//! Shields: `shield!`, `shield`, `#[shielded]`, `shield = true`.

use anyio::{
    CancelScope, cancel_scope, checkpoint, move_on_after, move_on_at, shield, shielded, sleep,
    sleep_forever, task_group,
};

use crate::support::{LONG, SHORT, checkpoints};

#[anyio::test]
async fn a_shielded_part_is_finished_and_the_next_suspension_is_cancelled() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        shield!({
            checkpoints(3).await;
            log.push("shielded");
        });
        log.push("right after");
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["shielded", "right after"]);
}

#[anyio::test]
async fn a_cancel_from_another_task_waits_for_the_shielded_part() {
    let mut log = Vec::new();
    task_group!(|tg| {
        let (sender, receiver) = futures::channel::oneshot::channel::<()>();
        let task = tg.spawn(async {
            shield(receiver).await.unwrap();
            log.push("shielded");
            checkpoint().await;
            log.push("never");
        });
        checkpoint().await;
        task.cancel();
        checkpoints(3).await;
        assert!(!task.is_finished());
        sender.send(()).unwrap();
        task.join().await.unwrap_err();
    });
    assert_eq!(log, ["shielded"]);
}

#[anyio::test]
async fn the_value_of_the_last_shielded_part_is_given() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        shield!({
            checkpoint().await;
            5
        })
    });
    assert_eq!(ended.unwrap(), 5);
}

#[shielded]
async fn commit(log: &mut Vec<&'static str>) -> &'static str {
    checkpoints(2).await;
    log.push("committed");
    "done"
}

#[anyio::test]
async fn a_shielded_function_is_finished() {
    let mut log = Vec::new();
    let ended = move_on_at!(anyio::current_time(), {
        assert_eq!(commit(&mut log).await, "done");
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_none());
    assert_eq!(log, ["committed"]);
}

#[anyio::test]
async fn a_scope_with_a_shield_keeps_outer_cancellations_out_and_hears_its_own() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let inner = cancel_scope!(shield = true, |inner| {
            checkpoints(2).await;
            log.push("outer kept out");
            inner.cancel();
            checkpoint().await;
            log.push("never");
        });
        assert!(inner.is_err());
        log.push("between");
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["outer kept out", "between"]);
}

#[anyio::test]
async fn a_time_limit_with_a_shield_runs_out_by_itself() {
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        move_on_after!(shield = true, SHORT, { sleep_forever().await }).is_none()
    });
    assert!(ended.unwrap());
}

#[anyio::test]
async fn a_time_limit_inside_a_shield_runs_out() {
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        shield!({ move_on_after!(SHORT, { sleep_forever().await }) }).is_none()
    });
    assert!(ended.unwrap());
}

#[anyio::test]
async fn a_deadline_outside_a_shield_waits_for_it() {
    let mut finished = false;
    let ended = move_on_after!(SHORT, {
        shield!({
            let until = anyio::current_time() + SHORT * 2;
            anyio::sleep_until(until).await;
            finished = true;
        });
        // If the thread was held up above, the deadline is still to come.
        sleep_forever().await;
    });
    assert!(ended.is_none());
    assert!(finished);
}

#[anyio::test]
async fn after_a_shield_any_cancelled_scope_further_out_counts() {
    // The cancelled one is the outermost; the two in between are not.
    let mut reached = Vec::new();
    let outer = cancel_scope!(|outer| {
        let middle = cancel_scope!(|_middle| {
            let inner = cancel_scope!(|_inner| {
                shield!({
                    outer.cancel();
                    checkpoint().await;
                    reached.push("shielded");
                });
                checkpoint().await;
                reached.push("never");
            });
            unreachable!("{inner:?}");
        });
        unreachable!("{middle:?}");
    });
    assert!(outer.is_err());
    assert_eq!(reached, ["shielded"]);
}

#[anyio::test]
async fn between_two_shields_a_cancelled_scope_counts_that_is_inside_the_outer_one() {
    let mut log = Vec::new();
    let outer = cancel_scope!(|outer| {
        shield!({
            let middle = cancel_scope!(|middle| {
                shield!({
                    outer.cancel();
                    middle.cancel();
                    checkpoint().await;
                    log.push("inner shield");
                });
                checkpoint().await;
                log.push("never");
            });
            assert!(middle.is_err());
            checkpoint().await;
            log.push("outer shield");
        });
        checkpoint().await;
        log.push("never");
    });
    assert!(outer.is_err());
    assert_eq!(log, ["inner shield", "outer shield"]);
}

#[anyio::test]
async fn a_cancelled_scope_does_not_reach_into_a_shield_also_through_others_inside() {
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        shield!({
            cancel_scope!(|_a| {
                cancel_scope!(|_b| {
                    checkpoints(3).await;
                    "through"
                })
            })
        })
    });
    assert_eq!(ended.unwrap().unwrap().unwrap(), "through");
}

#[anyio::test]
async fn a_shielded_group_finishes_its_tasks_in_a_cancelled_scope() {
    let mut sum = 0;
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        sum = task_group!(shield = true, |tg| {
            let a = tg.spawn(async {
                checkpoints(3).await;
                1
            });
            let b = tg.spawn_parallel(async {
                checkpoints(3).await;
                2
            });
            a.await + b.await
        });
        checkpoint().await;
        sum = 0;
    });
    assert!(ended.is_err());
    assert_eq!(sum, 3);
}

#[anyio::test]
async fn shielded_and_unshielded_tasks_of_one_group_part_when_it_is_cancelled() {
    let mut log = Vec::new();
    let (done, waiting) = futures::channel::oneshot::channel::<()>();
    let ended = cancel_scope!(|outer| {
        task_group!(|tg| {
            tg.spawn(async move {
                // Goes first: its end lets the shielded one finish.
                let _done = done;
                sleep_forever().await;
            });
            tg.spawn(async {
                let _ = shield(waiting).await;
                log.push("shielded");
            });
            checkpoint().await;
            outer.cancel();
        });
    });
    assert!(ended.is_err());
    assert_eq!(log, ["shielded"]);
}

#[anyio::test]
async fn a_shield_around_the_cancelled_scope_changes_nothing_inside() {
    let ended = shield(async {
        cancel_scope!(|scope| {
            scope.cancel();
            sleep_forever().await
        })
    });
    assert!(ended.await.is_err());
}

#[anyio::test]
async fn a_shield_that_is_ready_at_once_gives_its_value() {
    assert_eq!(shield(async { 5 }).await, 5);
    assert_eq!(shield!({ 6 }), 6);
}

#[anyio::test]
async fn two_shields_in_a_row_leave_a_gap_for_the_cancellation_only_where_something_suspends() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        shield(checkpoint()).await;
        log.push(1);
        shield(checkpoint()).await;
        log.push(2);
        checkpoint().await;
        log.push(3);
    });
    assert!(ended.is_err());
    assert_eq!(log, [1, 2]);
}

#[anyio::test]
async fn shields_side_by_side_are_all_waited_for() {
    let mut log = std::sync::Mutex::new(Vec::new());
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        anyio::gather((
            shield(async {
                checkpoints(4).await;
                log.lock().unwrap().push("slow");
            }),
            shield(async {
                checkpoint().await;
                log.lock().unwrap().push("quick");
            }),
            async {
                checkpoint().await;
                log.lock().unwrap().push("never");
            },
        ))
        .await;
    });
    assert!(ended.is_err());
    assert_eq!(log.get_mut().unwrap().as_slice(), ["quick", "slow"]);
}

#[anyio::test]
async fn a_shield_option_that_is_false_shields_nothing() {
    let scope = CancelScope::new().shield(true).shield(false);
    assert!(!scope.handle().shield());
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let _ = move_on_after!(shield = false, LONG, { sleep(SHORT).await });
        unreachable!()
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_failing_limit_with_a_shield_fails_in_a_cancelled_scope_too() {
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        anyio::fail_after!(shield = true, SHORT, { sleep_forever().await })
    });
    assert!(ended.unwrap().unwrap_err().is_deadline());
}

#[anyio::test]
async fn a_shielded_scope_without_a_handle_holds_the_tasks_of_a_cancelled_group() {
    let mut log = Vec::new();
    task_group!(|tg| {
        tg.spawn(async {
            CancelScope::new()
                .shield(true)
                .run(checkpoints(5))
                .await
                .unwrap();
            log.push("shielded");
            checkpoint().await;
            log.push("never");
        });
        checkpoint().await;
        tg.cancel();
    });
    assert_eq!(log, ["shielded"]);
}
