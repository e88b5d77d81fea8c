//! Futures that were begun in one place and go on in another.

use anyio::{
    CancelScope, Shielded, cancel_scope, catch_cancelled, checkpoint, move_on_after, shield,
    sleep_forever, task_group,
};
use futures::channel::oneshot::{self, Receiver, Sender};

use crate::support::{Boxed, LONG, SHORT, checkpoints, poll_once};

/// A shielded wait for a value, polled once in the scopes of the caller.
async fn begun_shield() -> (Sender<u32>, Box<Shielded<Receiver<u32>>>) {
    let (sender, receiver) = oneshot::channel();
    let mut shielded = Box::new(shield(receiver));
    assert!(poll_once(&mut shielded).await.is_pending());
    (sender, shielded)
}

#[anyio::test]
async fn a_cancelled_scope_waits_for_a_shield_only_as_long_as_it_has_it() {
    let got = task_group!(|tg| {
        let (shields, handed_over) = oneshot::channel();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let from = tg.spawn(scope.run(async move {
            let (sender, shielded) = begun_shield().await;
            checkpoint().await;
            shields.send((sender, shielded)).ok().unwrap();
            sleep_forever().await;
        }));
        let (sender, shielded) = handed_over.await.unwrap();
        // The shield is here now, pending, so that it does not hold the scope it came from.
        handle.cancel();
        let mut shielded = shielded;
        assert!(poll_once(&mut shielded).await.is_pending());
        assert!(from.await.is_err());
        sender.send(5).unwrap();
        shielded.await
    });
    assert_eq!(got, Ok(5));
}

#[anyio::test]
async fn the_scope_it_came_to_waits_for_it() {
    let mut got = None;
    let (sender, shielded) = {
        let begun = move_on_after(LONG, begun_shield()).await;
        begun.unwrap()
    };
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let got = &mut got;
        let task = tg.spawn(scope.run(async move {
            *got = shielded.await.ok();
            checkpoint().await;
            *got = None;
        }));
        checkpoint().await;
        handle.cancel();
        checkpoints(3).await;
        assert!(!task.is_finished());
        sender.send(6).unwrap();
        task.await
    });
    assert!(ended.is_err());
    assert_eq!(got, Some(6));
}

#[anyio::test]
async fn moved_to_another_thread_it_is_finished_there() {
    let got = task_group!(|tg| {
        let (sender, shielded) = begun_shield().await;
        let task = tg.spawn_parallel(shielded);
        checkpoint().await;
        task.cancel();
        checkpoints(3).await;
        sender.send(7).unwrap();
        task.join().await
    });
    assert_eq!(got.unwrap(), Ok(7));
}

#[anyio::test]
async fn finished_in_another_scope_it_releases_the_one_it_was_begun_in() {
    let ended = task_group!(|tg| {
        let (to_helper, work) = oneshot::channel::<Boxed<'_, u32>>();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let from = tg.spawn(scope.run(async move {
            let mut shielded: Boxed<'_, u32> = Box::pin(shield(async {
                checkpoints(2).await;
                8
            }));
            assert!(poll_once(&mut shielded).await.is_pending());
            to_helper.send(shielded).ok().unwrap();
            sleep_forever().await;
        }));
        let helper = tg.spawn(async move { work.await.unwrap().await });
        assert_eq!(helper.await, 8);
        handle.cancel();
        from.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn dropped_in_another_task_it_releases_the_scope_it_was_begun_in() {
    let ended = task_group!(|tg| {
        let (to_helper, work) = oneshot::channel();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let from = tg.spawn(scope.run(async move {
            let begun = begun_shield().await;
            checkpoint().await;
            to_helper.send(begun).ok().unwrap();
            sleep_forever().await;
        }));
        let (_sender, shielded) = work.await.unwrap();
        handle.cancel();
        checkpoints(2).await;
        drop(shielded);
        from.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn dropped_in_another_thread_it_releases_the_scope_it_was_begun_in() {
    let (to_thread, work) =
        std::sync::mpsc::channel::<(Sender<u32>, Box<Shielded<Receiver<u32>>>)>();
    let (go, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let begun = work.recv().unwrap();
        wait.recv().unwrap();
        drop(begun);
    });
    let ended = cancel_scope!(|scope| {
        let begun = begun_shield().await;
        to_thread.send(begun).unwrap();
        scope.cancel();
        go.send(()).unwrap();
        sleep_forever().await;
    });
    assert!(ended.is_err());
    thread.join().unwrap();
}

#[anyio::test]
async fn a_scope_may_be_begun_here_and_cancelled_there() {
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let mut inside = Box::pin(scope.run(sleep_forever()));
        assert!(poll_once(&mut inside).await.is_pending());
        let task = tg.spawn_parallel(inside);
        checkpoints(2).await;
        handle.cancel();
        task.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn what_is_polled_under_a_cancelled_scope_is_cancelled_by_it_wherever_it_was_begun() {
    let mut caught = Box::pin(catch_cancelled(sleep_forever()));
    assert!(poll_once(&mut caught).await.is_pending());
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        caught.await.is_err()
    });
    assert!(ended.unwrap());
}

#[anyio::test]
async fn what_was_begun_in_a_scope_is_not_cancelled_by_it_after_it_left() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (sender, receiver) = oneshot::channel::<u32>();
    let mut caught = Box::pin(catch_cancelled(receiver));
    scope
        .run(async { assert!(poll_once(&mut caught).await.is_pending()) })
        .await
        .unwrap();
    handle.cancel();
    assert!(poll_once(&mut caught).await.is_pending());
    sender.send(1).unwrap();
    assert_eq!(caught.await.unwrap(), Ok(1));
}

#[anyio::test]
async fn a_group_begun_here_goes_on_in_another_task_with_all_its_tasks() {
    let sum = task_group!(|tg| {
        let mut inner: Boxed<'_, u32> = Box::pin(async {
            task_group!(|inner| {
                let a = inner.spawn(async {
                    checkpoints(3).await;
                    1
                });
                let b = inner.spawn(shield(async {
                    checkpoints(5).await;
                    2
                }));
                a.await + b.await
            })
        });
        assert!(poll_once(&mut inner).await.is_pending());
        let limited = tg.spawn_parallel(move_on_after(LONG, inner));
        limited.await
    });
    assert_eq!(sum, Some(3));
}

#[anyio::test]
async fn passed_back_and_forth_between_scopes_it_holds_the_one_that_has_it_last() {
    let (sender, mut shielded) = begun_shield().await;
    for _ in 0..3 {
        // In a scope that is cancelled it would be waited for; handed out before, it is not.
        let ended = cancel_scope!(|scope| {
            assert!(poll_once(&mut shielded).await.is_pending());
            scope.cancel();
        });
        assert!(ended.is_ok());
    }
    let mut got = None;
    let ended = move_on_after!(SHORT, {
        sender.send(9).unwrap();
        got = shielded.await.ok();
        sleep_forever().await;
    });
    assert!(ended.is_none());
    assert_eq!(got, Some(9));
}

#[anyio::test(backends = [tokio(worker_threads = 3), smol(threads = 3)])]
async fn moved_finished_and_cancelled_on_three_threads_at_once_it_neither_hangs_nor_gets_lost() {
    for round in 0..200 {
        let got = task_group!(|tg| {
            let scope = CancelScope::new();
            let handle = scope.handle();
            let (hand_over, handed_over) = oneshot::channel();
            let (sender, receiver) = oneshot::channel();
            let (begun, pending) = oneshot::channel();
            let from = tg.spawn_parallel(scope.run(async move {
                let mut shielded = Box::new(shield(receiver));
                assert!(poll_once(&mut shielded).await.is_pending());
                begun.send(()).unwrap();
                hand_over.send(shielded).ok().unwrap();
                sleep_forever().await;
            }));
            let to = tg.spawn_parallel(async move {
                let elsewhere = CancelScope::new();
                elsewhere.handle().cancel();
                // The shield holds off the scope it has come to.
                elsewhere.run(handed_over.await.unwrap()).await
            });
            tg.spawn_parallel(async move {
                pending.await.unwrap();
                checkpoints(round % 7).await;
                sender.send(round).unwrap();
            });
            tg.spawn_parallel(async move {
                checkpoints(round % 5).await;
                handle.cancel();
            });
            // A scope that is cancelled before its first poll hands its shield over all the same.
            assert!(from.await.is_err());
            to.await
        });
        assert_eq!(got.unwrap(), Ok(round));
    }
}

#[anyio::test(backends = [tokio(worker_threads = 3), smol(threads = 3)])]
async fn shields_switched_on_another_thread_while_scopes_are_cancelled_lose_no_wake() {
    for round in 0..200 {
        let ended = task_group!(|tg| {
            let (outer, inner) = (CancelScope::new(), CancelScope::new().shield(true));
            let (cancel, switch) = (outer.handle(), inner.handle());
            let waiting = tg.spawn_parallel(outer.run(async move {
                let _ = inner.run(sleep_forever()).await;
                unreachable!("the outer one is cancelled")
            }));
            tg.spawn_parallel(async move {
                checkpoints(round % 3).await;
                cancel.cancel();
            });
            tg.spawn_parallel(async move {
                for _ in 0..round % 4 {
                    switch.set_shield(false);
                    switch.set_shield(true);
                }
                checkpoints(round % 5).await;
                switch.set_shield(false);
            });
            let ended: Result<(), _> = waiting.await;
            ended
        });
        assert!(ended.is_err());
    }
}

/// Begins what `make` makes of a receiver in a scope, takes it out, cancels the scope, has the future ready, and
/// polls it here; the scope, which was held by it, ends.
async fn ready_at_its_first_poll_elsewhere<F>(make: impl Fn(Receiver<u32>) -> F + Send + Sync)
where
    F: Future<Output = u32> + Send,
{
    task_group!(|tg| {
        let (hand_over, handed_over) = oneshot::channel();
        let (sender, receiver) = oneshot::channel();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let from = tg.spawn(scope.run(async {
            let mut begun = Box::pin(make(receiver));
            assert!(poll_once(&mut begun).await.is_pending());
            hand_over.send(begun).ok().unwrap();
            sleep_forever().await;
        }));
        let begun = handed_over.await.unwrap();
        handle.cancel();
        checkpoints(3).await;
        sender.send(5).unwrap();
        // That woke the task it was last polled in.
        checkpoints(3).await;
        assert!(!from.is_finished(), "held");
        assert_eq!(begun.await, 5);
        assert!(from.await.is_err());
    });
}

#[anyio::test]
async fn a_shield_that_is_ready_at_its_first_poll_elsewhere_releases_the_scope_it_was_begun_in() {
    ready_at_its_first_poll_elsewhere(|receiver| async { shield(receiver).await.unwrap() }).await;
}

#[anyio::test]
async fn a_scope_that_is_ready_at_its_first_poll_elsewhere_releases_the_one_it_was_begun_in() {
    ready_at_its_first_poll_elsewhere(|receiver| async {
        CancelScope::new()
            .shield(true)
            .run(receiver)
            .await
            .unwrap()
            .unwrap()
    })
    .await;
}

#[anyio::test]
async fn a_group_that_is_ready_at_its_first_poll_elsewhere_releases_the_scope_it_was_begun_in() {
    ready_at_its_first_poll_elsewhere(|receiver| async {
        task_group!(shield = true, |tg| { tg.spawn(receiver).await.unwrap() })
    })
    .await;
}

/// What held ends inside the future in its first poll elsewhere; the future itself goes on after that.
#[anyio::test(timeout = 5s)]
async fn a_shield_that_ends_inside_what_moved_releases_the_scope_it_was_begun_in() {
    ready_at_its_first_poll_elsewhere(|receiver| async {
        let inner = CancelScope::new();
        let _handle = inner.handle();
        let after = inner.run(async {
            let value = shield(receiver).await.unwrap();
            // The scope it came from has to end meanwhile; see below.
            checkpoints(10).await;
            value
        });
        after.await.unwrap()
    })
    .await;

    // The same, and it never ends by itself.
    task_group!(|tg| {
        let (hand_over, handed_over) = oneshot::channel();
        let (sender, receiver) = oneshot::channel::<()>();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let from = tg.spawn(scope.run(async {
            let inner = CancelScope::new();
            let inner_handle = inner.handle();
            let mut begun = Box::pin(inner.run(async {
                shield(receiver).await.unwrap();
                sleep_forever().await;
            }));
            assert!(poll_once(&mut begun).await.is_pending());
            hand_over.send((begun, inner_handle)).ok().unwrap();
            sleep_forever().await;
        }));
        let (mut begun, inner_handle) = handed_over.await.unwrap();
        handle.cancel();
        checkpoints(3).await;
        sender.send(()).unwrap();
        checkpoints(3).await;
        assert!(!from.is_finished(), "held");
        assert!(poll_once(&mut begun).await.is_pending());
        assert!(from.await.is_err());
        inner_handle.cancel();
        assert!(begun.await.is_err());
    });
}
