//! Deadlines: set, moved, read.

use std::time::Duration;

use anyio::EffectiveDeadline::{At, Cancelled, Never};
use anyio::{
    CancelScope, cancel_scope, checkpoint, current_effective_deadline, current_time, fail_after,
    move_on_after, move_on_at, shield, sleep_forever, task_group,
};

use crate::support::{LONG, SHORT, checkpoints};

#[anyio::test]
async fn a_scope_is_cancelled_by_its_deadline() {
    let scope = CancelScope::new().deadline_after(SHORT);
    let handle = scope.handle();
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    assert!(cancelled.is_deadline());
    assert!(handle.cancel_called() && handle.cancelled_caught());
}

#[anyio::test]
async fn a_deadline_that_has_passed_at_entry_cancels_the_first_suspension() {
    for scope in [
        CancelScope::new().deadline_at(current_time()),
        CancelScope::new().deadline_after(Duration::ZERO),
    ] {
        let handle = scope.handle();
        let mut begun = false;
        let ended = scope.run(async {
            begun = true;
            assert!(handle.cancel_called());
            checkpoint().await;
            begun = false;
        });
        assert!(ended.await.unwrap_err().is_deadline());
        assert!(begun);
    }
}

#[anyio::test]
async fn a_deadline_too_far_away_for_the_clock_is_none() {
    assert_eq!(
        move_on_after!(Duration::MAX, { checkpoint().await }),
        Some(())
    );
    let scope = CancelScope::new().deadline_after(Duration::MAX);
    let handle = scope.handle();
    let inside = scope.run(async {
        checkpoint().await;
        (handle.deadline(), current_effective_deadline())
    });
    assert_eq!(inside.await.unwrap(), (None, Never));
}

#[anyio::test]
async fn a_deadline_is_known_once_the_scope_is_entered() {
    let scope = CancelScope::new().deadline_after(LONG);
    let handle = scope.handle();
    let before = current_time();
    let inside = scope.run(async { handle.deadline() }).await.unwrap();
    assert!(inside.unwrap() >= before + LONG);
}

#[anyio::test]
async fn moved_later_in_time_it_lets_the_body_finish() {
    let mut polls = 0;
    let ended = move_on_after!(SHORT, |scope| {
        scope.set_deadline(current_time() + LONG);
        anyio::sleep(SHORT * 2).await;
        polls += 1;
        "finished"
    });
    assert_eq!(ended, Some("finished"));
    assert_eq!(polls, 1);
}

#[anyio::test]
async fn moved_nearer_it_cancels_sooner() {
    let ended = move_on_after!(LONG, |scope| {
        scope.set_deadline(current_time() + SHORT);
        sleep_forever().await
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn moved_into_the_past_it_cancels_at_once() {
    let ended = move_on_after!(LONG, |scope| {
        scope.set_deadline(current_time());
        assert!(scope.cancel_called());
        assert_eq!(current_effective_deadline(), Cancelled);
        checkpoint().await;
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn taken_away_it_cancels_no_more() {
    let ended = move_on_after!(SHORT, |scope| {
        scope.set_deadline(None);
        assert_eq!(scope.deadline(), None);
        anyio::sleep(SHORT * 2).await;
        "finished"
    });
    assert_eq!(ended, Some("finished"));
}

#[anyio::test]
async fn given_to_a_scope_that_had_none_it_cancels() {
    let ended = cancel_scope!(|scope| {
        checkpoint().await;
        scope.set_deadline(current_time() + SHORT);
        sleep_forever().await
    });
    assert!(ended.unwrap_err().is_deadline());
}

#[anyio::test]
async fn moved_after_the_cancellation_it_revives_nothing() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = scope.run(async {
        handle.cancel();
        handle.set_deadline(current_time() + LONG);
        handle.set_deadline(None);
        assert!(handle.cancel_called());
        checkpoint().await;
    });
    assert!(ended.await.is_err());
}

#[anyio::test]
async fn moved_by_another_task_while_the_body_waits_it_counts() {
    let ended = task_group!(|tg| {
        let scope = CancelScope::new().deadline_after(LONG);
        let handle = scope.handle();
        let waiting = tg.spawn(scope.run(sleep_forever()));
        checkpoints(2).await;
        handle.set_deadline(current_time() + SHORT);
        waiting.await
    });
    assert!(ended.unwrap_err().is_deadline());
}

#[anyio::test]
async fn moved_later_by_another_task_it_does_not_cancel_in_between() {
    let (started, woken) = futures::channel::oneshot::channel();
    let ended = task_group!(|tg| {
        let scope = CancelScope::new().deadline_after(SHORT);
        let handle = scope.handle();
        let waiting = tg.spawn(scope.run(woken));
        handle.set_deadline(current_time() + LONG);
        anyio::sleep(SHORT * 2).await;
        started.send(5).unwrap();
        waiting.await
    });
    assert_eq!(ended.unwrap(), Ok(5));
}

#[anyio::test]
async fn set_on_a_scope_before_it_is_entered_it_counts() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    handle.set_deadline(current_time() + SHORT);
    assert!(scope.run(sleep_forever()).await.unwrap_err().is_deadline());
}

#[anyio::test]
async fn moved_many_times_only_the_last_counts() {
    let ended = move_on_after!(LONG, |scope| {
        for n in (1..50).rev() {
            scope.set_deadline(current_time() + LONG * n);
            checkpoint().await;
        }
        scope.set_deadline(current_time() + SHORT);
        sleep_forever().await
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn the_deadline_of_a_group_cancels_its_tasks_and_its_body() {
    let mut kept = None;
    task_group!(|tg| {
        kept = Some(tg.cancel_scope());
        tg.cancel_scope().set_deadline(current_time() + SHORT);
        tg.spawn(sleep_forever());
        tg.spawn_parallel(sleep_forever());
        sleep_forever().await;
    });
    assert!(kept.unwrap().cancelled_caught());
}

#[anyio::test]
async fn without_scopes_the_effective_deadline_is_never() {
    assert_eq!(current_effective_deadline(), Never);
    let inside = cancel_scope!(|_scope| current_effective_deadline());
    assert_eq!(inside.unwrap(), Never);
}

#[anyio::test]
async fn the_earliest_deadline_is_effective() {
    let now = current_time();
    let (near, far) = (now + LONG, now + LONG * 2);
    for (outer, inner) in [(near, far), (far, near)] {
        let inside = move_on_at!(outer, {
            move_on_at!(inner, { current_effective_deadline() })
        });
        assert_eq!(inside.flatten(), Some(At(near)));
    }
}

#[anyio::test]
async fn a_relative_deadline_is_effective_from_its_first_poll() {
    let before = current_time();
    let inside = move_on_after!(LONG, {
        let first = current_effective_deadline();
        checkpoint().await;
        assert_eq!(current_effective_deadline(), first);
        first
    });
    let Some(At(deadline)) = inside else {
        panic!("{inside:?}")
    };
    assert!(deadline >= before + LONG);
    assert!(deadline <= current_time() + LONG);
}

#[anyio::test]
async fn in_a_cancelled_scope_the_effective_deadline_is_cancelled() {
    let inside = cancel_scope!(|outer| {
        outer.cancel();
        let inner = move_on_after!(LONG, { current_effective_deadline() });
        (current_effective_deadline(), inner)
    });
    assert_eq!(inside.unwrap(), (Cancelled, Some(Cancelled)));
}

#[anyio::test]
async fn inside_a_shield_only_what_is_inside_it_is_effective() {
    let near = current_time() + LONG;
    let inside = cancel_scope!(|outer| {
        outer.cancel();
        let shielded = shield!({ current_effective_deadline() });
        let limited = shield!({ move_on_at!(near, { current_effective_deadline() }) });
        let by_option = move_on_at!(shield = true, near, { current_effective_deadline() });
        (shielded, limited, by_option)
    });
    assert_eq!(inside.unwrap(), (Never, Some(At(near)), Some(At(near))));
}

#[anyio::test]
async fn a_task_has_the_effective_deadline_of_its_group() {
    let near = current_time() + LONG;
    let inside = move_on_at!(near, {
        task_group!(|tg| { tg.spawn(async { current_effective_deadline() }).await })
    });
    assert_eq!(inside, Some(At(near)));
}

#[anyio::test]
async fn a_task_that_is_cancelled_alone_sees_it_in_its_effective_deadline() {
    let mut seen = None;
    task_group!(|tg| {
        let task = tg.spawn(async {
            let caught = anyio::catch_cancelled(sleep_forever()).await;
            seen = Some((caught.is_err(), current_effective_deadline()));
        });
        checkpoint().await;
        task.cancel();
        task.wait().await;
    });
    assert_eq!(seen, Some((true, Cancelled)));
}

#[anyio::test]
async fn what_remains_until_the_effective_deadline_can_be_told() {
    let now = current_time();
    assert_eq!(At(now + SHORT).remaining(now), Some(SHORT));
    assert_eq!(At(now).remaining(now + SHORT), Some(Duration::ZERO));
    assert_eq!(Cancelled.remaining(now), Some(Duration::ZERO));
    assert_eq!(Never.remaining(now), None);
    assert!(Cancelled < At(now) && At(now) < At(now + SHORT) && At(now) < Never);
}

#[anyio::test]
async fn a_new_time_limit_after_one_that_ran_out_is_a_fresh_one() {
    for _ in 0..3 {
        assert!(fail_after!(SHORT, { sleep_forever().await }).is_err());
        assert!(fail_after!(LONG, { checkpoint().await }).is_ok());
        assert_eq!(current_effective_deadline(), Never);
    }
}
