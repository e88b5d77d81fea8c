//! Nested deadlines share one timer, and none gets lost, whatever becomes of the scopes that share it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use anyio::{
    MoveOn, SleepForever, current_time, move_on_after, move_on_at, sleep, sleep_forever, task_group,
};

use crate::support::{Boxed, LONG, SHORT, checkpoints, poll_once};

/// A time limit that has been polled once, here.
async fn begun(limit: std::time::Duration) -> std::pin::Pin<Box<MoveOn<SleepForever>>> {
    let mut inside = Box::pin(move_on_after(limit, sleep_forever()));
    assert!(poll_once(&mut inside).await.is_pending());
    inside
}

#[anyio::test]
async fn each_of_many_nested_deadlines_ends_its_own_scope() {
    // From the inside out.
    fn nest(level: u32, ended: &std::sync::Mutex<Vec<u32>>) -> Boxed<'_, ()> {
        Box::pin(async move {
            if level == 8 {
                return sleep_forever().await;
            }
            let limit = SHORT + std::time::Duration::from_micros(300) * (8 - level);
            if move_on_after(limit, nest(level + 1, ended)).await.is_none() {
                ended.lock().unwrap().push(level);
            }
            if level > 0 {
                sleep_forever().await;
            }
        })
    }
    let mut ended = std::sync::Mutex::new(Vec::new());
    nest(0, &ended).await;
    let ended = ended.get_mut().unwrap();
    // A busy machine may let several run out at once; then the outermost of them ends. The rest keep the order.
    assert_eq!(ended.last(), Some(&0));
    assert!(ended.is_sorted_by(|a, b| a > b), "{ended:?}");
}

#[anyio::test]
async fn an_inner_scope_that_ended_leaves_the_outer_deadline_in_force() {
    let ended = move_on_after!(SHORT, {
        for _ in 0..3 {
            assert!(move_on_after!(LONG, { checkpoints(2).await }).is_some());
        }
        let inner = move_on_after!(std::time::Duration::from_millis(1), {
            sleep_forever().await
        });
        assert!(inner.is_none());
        sleep_forever().await;
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn an_inner_scope_that_is_dropped_leaves_the_outer_deadline_in_force() {
    for inner in [LONG, std::time::Duration::from_millis(1)] {
        let ended = move_on_after!(SHORT, {
            drop(begun(inner).await);
            sleep_forever().await;
        });
        assert!(ended.is_none());
    }
}

#[anyio::test]
async fn an_inner_scope_that_is_leaked_leaves_the_outer_deadline_in_force() {
    for inner in [LONG, std::time::Duration::from_millis(1)] {
        let ended = move_on_after!(SHORT, {
            let inner = begun(inner).await;
            #[allow(
                clippy::mem_forget,
                reason = "that nothing depends on its drop is the point"
            )]
            std::mem::forget(inner);
            sleep_forever().await;
        });
        assert!(ended.is_none());
    }
}

#[anyio::test]
async fn an_inner_scope_that_moves_to_another_task_takes_its_deadline_along() {
    let ended = task_group!(|tg| {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let outer = tg.spawn(move_on_after(SHORT * 2, async move {
            let inner = begun(SHORT).await;
            sender.send(inner).ok().unwrap();
            sleep_forever().await;
        }));
        let inner = tg.spawn(async move { receiver.await.unwrap().await });
        (outer.await, inner.await)
    });
    assert_eq!(ended, (None, None));
}

#[anyio::test]
async fn an_inner_scope_that_moves_to_another_thread_takes_its_deadline_along() {
    let ended = task_group!(|tg| {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let outer = tg.spawn(move_on_after(SHORT * 2, async move {
            let inner = begun(SHORT).await;
            sender.send(inner).ok().unwrap();
            sleep_forever().await;
        }));
        let inner = tg.spawn_parallel(async move { receiver.await.unwrap().await });
        (outer.await, inner.await)
    });
    assert_eq!(ended, (None, None));
}

#[anyio::test]
async fn an_inner_scope_that_outlives_the_outer_one_keeps_its_deadline() {
    let mut kept = None;
    let outer = move_on_after!(std::time::Duration::from_millis(1), {
        kept = Some(begun(SHORT).await);
        sleep_forever().await;
    });
    assert!(outer.is_none());
    assert_eq!(kept.unwrap().await, None);
}

#[anyio::test]
async fn an_inner_scope_keeps_its_deadline_when_the_outer_one_is_dropped() {
    let mut inner = Box::pin(move_on_after(SHORT, sleep_forever()));
    {
        let mut outer = Box::pin(move_on_after(LONG, poll_fn(|cx| inner.as_mut().poll(cx))));
        assert!(poll_once(&mut outer).await.is_pending());
    }
    assert_eq!(inner.await, None);
}

#[anyio::test]
async fn an_inner_scope_keeps_its_deadline_when_the_outer_one_is_leaked() {
    let (sender, receiver) = futures::channel::oneshot::channel();
    {
        let mut outer = Box::pin(move_on_after(LONG, async {
            sender.send(begun(SHORT).await).ok().unwrap();
            sleep_forever().await;
        }));
        assert!(poll_once(&mut outer).await.is_pending());
        #[allow(
            clippy::mem_forget,
            reason = "that nothing depends on its drop is the point"
        )]
        std::mem::forget(outer);
    }
    assert_eq!(receiver.await.unwrap().await, None);
}

#[anyio::test]
async fn an_inner_scope_keeps_its_deadline_when_the_outer_one_ends_first() {
    let mut inner = Box::pin(move_on_after(SHORT, sleep_forever()));
    let outer = move_on_after(LONG, poll_once(&mut inner)).await;
    assert!(outer.unwrap().is_pending());
    assert_eq!(inner.await, None);
}

#[anyio::test]
async fn an_inner_scope_keeps_its_deadline_when_one_in_the_middle_is_dropped() {
    let mut inner = Box::pin(move_on_after(SHORT, sleep_forever()));
    let ended = move_on_after!(LONG, {
        {
            let mut middle = Box::pin(move_on_after(LONG, poll_fn(|cx| inner.as_mut().poll(cx))));
            assert!(poll_once(&mut middle).await.is_pending());
        }
        inner.as_mut().await
    });
    assert_eq!(ended, Some(None));
}

#[anyio::test]
async fn a_deadline_that_comes_in_later_may_be_earlier_than_the_armed_one() {
    let ended = move_on_after!(LONG, {
        checkpoints(3).await;
        move_on_after!(SHORT, { sleep_forever().await })
    });
    assert_eq!(ended, Some(None));
}

#[anyio::test]
async fn an_outer_deadline_moved_nearer_by_the_innermost_scope_counts() {
    let ended = move_on_after!(LONG, |outer| {
        move_on_after!(LONG, {
            checkpoints(2).await;
            outer.set_deadline(current_time() + SHORT);
            sleep_forever().await;
        })
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn an_inner_deadline_moved_nearer_from_outside_counts() {
    let ended = task_group!(|tg| {
        let scope = anyio::CancelScope::new().deadline_after(LONG);
        let handle = scope.handle();
        let waiting = tg.spawn(async move {
            move_on_after!(LONG * 2, {
                move_on_after!(LONG, { scope.run(sleep_forever()).await })
            })
        });
        checkpoints(3).await;
        handle.set_deadline(current_time() + SHORT);
        waiting.await
    });
    assert!(ended.unwrap().unwrap().unwrap_err().is_deadline());
}

#[anyio::test]
async fn an_inner_deadline_taken_away_leaves_the_outer_one_in_force() {
    let ended = move_on_after!(SHORT, {
        move_on_after!(LONG, |inner| {
            checkpoints(2).await;
            inner.set_deadline(None);
            sleep_forever().await;
        })
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn below_another_waker_each_deadline_is_woken_for() {
    // `FuturesUnordered` polls each of its futures with a waker of its own.
    use futures::StreamExt as _;
    let mut limits: futures::stream::FuturesUnordered<_> = (0..8)
        .map(|_| move_on_after(SHORT, sleep_forever()))
        .collect();
    let ended = move_on_after!(LONG, {
        let mut ended = 0;
        while let Some(limit) = limits.next().await {
            assert_eq!(limit, None);
            ended += 1;
        }
        ended
    });
    assert_eq!(ended, Some(8));
}

#[anyio::test]
async fn limits_side_by_side_under_one_waker_all_run_out() {
    let ended = move_on_after!(LONG, {
        futures::join!(
            move_on_after(SHORT, sleep_forever()),
            move_on_after(SHORT * 2, sleep_forever()),
            move_on_after(SHORT, move_on_after(SHORT * 2, sleep_forever())),
        )
    });
    assert_eq!(ended, Some((None, None, None)));
}

#[anyio::test]
async fn a_scope_polled_by_turns_in_two_tasks_keeps_its_deadline() {
    let ended = task_group!(|tg| {
        let mut inside = begun(SHORT).await;
        for _ in 0..3 {
            // Polled once in a task of its own, then here again.
            let task = tg.spawn(async move {
                let polled = poll_once(&mut inside).await;
                (inside, polled)
            });
            let (back, polled) = task.await;
            inside = back;
            if polled.is_ready() {
                return true;
            }
            match poll_once(&mut inside).await {
                Poll::Ready(_) => return true,
                Poll::Pending => {}
            }
        }
        inside.await.is_none()
    });
    assert!(ended);
}

#[anyio::test]
async fn a_limit_around_a_sleep_that_ends_first_is_quiet_afterwards() {
    let ended = move_on_after!(LONG, {
        move_on_after!(LONG, { sleep(SHORT).await });
        sleep(SHORT).await;
        5
    });
    assert_eq!(ended, Some(5));
}

#[anyio::test]
async fn a_pinned_limit_on_the_stack_may_be_polled_in_a_select() {
    let mut limit = pin!(move_on_after(SHORT, sleep_forever()));
    let mut rounds = 0;
    let ended = move_on_at!(current_time() + LONG, {
        loop {
            rounds += 1;
            tokio::select! {
                ended = &mut limit => break ended,
                () = sleep(std::time::Duration::from_micros(200)) => {}
            }
        }
    });
    assert_eq!(ended, Some(None));
    assert!(rounds >= 1);
}
