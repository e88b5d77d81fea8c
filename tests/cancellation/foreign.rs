//! Futures of others inside our scopes, and our scopes inside theirs.

use std::pin::Pin;
use std::sync::Mutex;

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, finally, move_on_after, shield, sleep,
    sleep_forever, task_group,
};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};

use crate::support::{Boxed, LONG, SHORT, checkpoints};

#[anyio::test(backends = [tokio, tokio(flavor = "current_thread")])]
async fn a_sleep_of_tokio_is_cancelled() {
    assert!(move_on_after!(SHORT, { tokio::time::sleep(LONG).await }).is_none());
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        tokio::time::sleep(LONG).await;
    });
    assert!(ended.is_err());
}

#[anyio::test(backends = [tokio])]
async fn a_sleep_of_tokio_in_a_shield_is_finished() {
    let mut slept = false;
    let ended = move_on_after!(0s, {
        shield!({
            tokio::time::sleep(SHORT).await;
            slept = true;
        });
        tokio::time::sleep(LONG).await;
    });
    assert!(ended.is_none());
    assert!(slept);
}

#[anyio::test(backends = [tokio])]
async fn a_timeout_of_tokio_around_a_scope_and_in_it_work() {
    let ended = tokio::time::timeout(SHORT, move_on_after(LONG, sleep_forever())).await;
    assert!(ended.is_err());
    let ended = move_on_after(SHORT, tokio::time::timeout(LONG, sleep_forever())).await;
    assert!(ended.is_none());
}

#[anyio::test]
async fn a_future_that_never_wakes_is_cancelled() {
    let ended = move_on_after!(SHORT, { std::future::pending::<()>().await });
    assert!(ended.is_none());
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let task = tg.spawn(scope.run(std::future::pending::<()>()));
        checkpoint().await;
        handle.cancel();
        task.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn primitives_of_others_are_cancelled_and_keep_their_state() {
    let lock = tokio::sync::Mutex::new(5);
    let (sender, receiver) = async_channel::bounded::<u32>(1);
    let notify = tokio::sync::Notify::new();
    let guard = lock.lock().await;
    assert!(move_on_after!(SHORT, { drop(lock.lock().await) }).is_none());
    assert!(move_on_after!(SHORT, { receiver.recv().await.unwrap() }).is_none());
    assert!(move_on_after!(SHORT, { notify.notified().await }).is_none());
    drop(guard);
    assert_eq!(*lock.lock().await, 5);
    sender.send(1).await.unwrap();
    assert!(move_on_after!(SHORT, { sender.send(2).await.unwrap() }).is_none());
    assert_eq!(receiver.recv().await, Ok(1));
    notify.notify_one();
    notify.notified().await;
}

#[anyio::test]
async fn a_framed_stream_is_cancelled_between_frames_and_loses_none() {
    let (near, far) = tokio::io::duplex(64);
    let lines = tokio_util::codec::LinesCodec::new;
    let mut reader = tokio_util::codec::Framed::new(near, lines());
    let mut writer = tokio_util::codec::Framed::new(far, lines());
    writer.send("one").await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap(), "one");
    assert!(move_on_after!(SHORT, { reader.next().await }).is_none());
    // Half a line stays in the buffer over a cancellation.
    use tokio::io::AsyncWriteExt as _;
    writer.get_mut().write_all(b"tw").await.unwrap();
    assert!(move_on_after!(SHORT, { reader.next().await }).is_none());
    writer.get_mut().write_all(b"o\n").await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap(), "two");
}

#[anyio::test]
async fn a_select_of_tokio_inside_a_scope_is_cancelled_as_a_whole() {
    let ended = move_on_after!(SHORT, {
        tokio::select! {
            () = sleep_forever() => "first",
            () = std::future::pending() => "second",
        }
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn a_select_of_tokio_inside_a_scope_waits_for_the_shield_in_one_of_its_branches() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        tokio::select! {
            () = shield(checkpoints(3)) => log.push("shielded branch"),
            () = sleep_forever() => log.push("other branch"),
        }
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["shielded branch"]);
}

#[anyio::test]
async fn a_select_of_futures_inside_a_scope_waits_for_the_shield_in_one_of_its_branches() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        futures::select! {
            () = Box::pin(shield(checkpoints(3))).fuse() => log.push("shielded branch"),
            () = Box::pin(async { sleep_forever().await }).fuse() => log.push("other branch"),
        }
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["shielded branch"]);
}

#[anyio::test]
async fn joined_futures_are_cancelled_together_and_those_that_hold_are_waited_for() {
    let log = Mutex::new(Vec::new());
    let ended = cancel_scope!(|scope| {
        let branches = futures::future::join3(
            async {
                finally!({ sleep_forever().await }, {
                    checkpoints(2).await;
                    log.lock().unwrap().push("cleaned up");
                });
            },
            shield(async {
                checkpoints(4).await;
                log.lock().unwrap().push("shielded");
            }),
            async {
                checkpoint().await;
                scope.cancel();
                sleep_forever().await;
                log.lock().unwrap().push("never");
            },
        );
        branches.await;
    });
    assert!(ended.is_err());
    let mut log = log.into_inner().unwrap();
    log.sort_unstable();
    assert_eq!(log, ["cleaned up", "shielded"]);
}

#[anyio::test]
async fn a_cancelled_scope_wakes_what_waits_below_a_futures_unordered() {
    let log = Mutex::new(Vec::new());
    let log = &log;
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let task = tg.spawn(scope.run(async move {
            let mut all: FuturesUnordered<_> = (0..4)
                .map(|n| async move {
                    let caught = catch_cancelled(sleep_forever()).await;
                    log.lock().unwrap().push((n, caught.is_err()));
                })
                .collect();
            while all.next().await.is_some() {}
        }));
        checkpoints(2).await;
        handle.cancel();
        task.await
    });
    assert!(ended.is_ok(), "all of them ended");
    let mut log = log.lock().unwrap().clone();
    log.sort_unstable();
    assert_eq!(log, [(0, true), (1, true), (2, true), (3, true)]);
}

#[anyio::test]
async fn a_clean_up_below_a_futures_unordered_runs_to_its_end() {
    let cleaned = std::sync::atomic::AtomicUsize::new(0);
    let count = &cleaned;
    let ended = move_on_after!(SHORT, {
        let mut all: FuturesUnordered<_> = (1..4)
            .map(|n| async move {
                finally!({ sleep_forever().await }, {
                    checkpoints(n).await;
                    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                });
            })
            .collect();
        while all.next().await.is_some() {}
    });
    assert!(ended.is_none());
    assert_eq!(cleaned.into_inner(), 3);
}

#[anyio::test]
async fn a_cancelled_scope_wakes_downward_through_two_foreign_wakers() {
    let mut caught = false;
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let caught = &mut caught;
        let task = tg.spawn(scope.run(async move {
            let mut inner = FuturesUnordered::new();
            inner.push(async move {
                *caught = catch_cancelled(sleep_forever()).await.is_err();
            });
            let mut outer = FuturesUnordered::new();
            outer.push(async move { inner.next().await });
            outer.next().await;
        }));
        checkpoints(2).await;
        handle.cancel();
        task.await
    });
    assert!(ended.is_ok());
    assert!(caught);
}

#[anyio::test]
async fn a_stream_that_buffers_futures_is_cancelled() {
    let ended = move_on_after!(SHORT, {
        futures::stream::iter(0..10)
            .map(|n| async move { sleep(LONG * n).await })
            .buffer_unordered(3)
            .collect::<Vec<_>>()
            .await
    });
    assert!(ended.is_none());
}

#[anyio::test]
async fn scopes_work_in_boxed_and_recursive_futures() {
    fn deep(levels: u32) -> Boxed<'static, u32> {
        Box::pin(async move {
            if levels == 0 {
                sleep_forever().await;
            }
            let scope = CancelScope::new();
            1 + scope.run(deep(levels - 1)).await.unwrap()
        })
    }
    assert!(move_on_after!(SHORT, { deep(20).await }).is_none());
    let dynamic: Pin<Box<dyn Future<Output = Option<()>>>> =
        Box::pin(move_on_after(SHORT, sleep_forever()));
    assert_eq!(dynamic.await, None);
}

#[anyio::test]
async fn a_shared_future_is_not_cancelled_for_the_others() {
    let (sender, receiver) = futures::channel::oneshot::channel::<u32>();
    let shared = async move { receiver.await.unwrap() }.shared();
    let mine = shared.clone();
    assert!(move_on_after!(SHORT, { mine.await }).is_none());
    sender.send(5).unwrap();
    assert_eq!(shared.await, 5);
}

#[anyio::test]
async fn maybe_done_and_now_or_never_see_a_cancelled_suspension_as_pending() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        (
            checkpoint().now_or_never(),
            std::future::ready(1).now_or_never(),
        )
    });
    assert_eq!(ended.unwrap(), (None, Some(1)));
}

#[anyio::test]
async fn a_foreign_select_that_drops_a_scope_leaves_the_surroundings_unharmed() {
    let ended = move_on_after!(LONG, {
        let winner = futures::future::select(
            Box::pin(move_on_after(LONG, sleep_forever())),
            Box::pin(checkpoints(2)),
        );
        let by_checkpoints = matches!(winner.await, futures::future::Either::Right(_));
        checkpoints(3).await;
        by_checkpoints
    });
    assert_eq!(ended, Some(true));
}
