//! Shields switched on and off while something runs.

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, finally, move_on_after, shield, sleep,
    sleep_forever, task_group,
};

use crate::support::{LONG, SHORT, checkpoints};

#[anyio::test]
async fn switched_on_inside_it_protects_from_then_on() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        let inner = cancel_scope!(|inner| {
            inner.set_shield(true);
            outer.cancel();
            checkpoints(3).await;
            log.push("protected");
        });
        assert!(inner.is_ok());
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["protected"]);
}

#[anyio::test]
async fn switched_on_in_a_cancelled_scope_before_it_suspends_it_protects_too() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        cancel_scope!(|inner| {
            inner.set_shield(true);
            checkpoints(3).await;
            log.push("protected");
        })
        .unwrap();
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["protected"]);
}

#[anyio::test]
async fn switched_off_inside_it_lets_a_pending_cancellation_in_at_the_next_suspension() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let _ = cancel_scope!(shield = true, |inner| {
            checkpoint().await;
            log.push("shielded");
            inner.set_shield(false);
            log.push("right after");
            checkpoint().await;
            log.push("never");
        });
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["shielded", "right after"]);
}

#[anyio::test]
async fn switched_off_from_another_task_it_cancels_what_waits_inside() {
    let ended = task_group!(|tg| {
        let outer = CancelScope::new();
        let inner = CancelScope::new().shield(true);
        let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
        let task = tg.spawn(async move {
            let ended = outer.run(async {
                let _ = inner.run(sleep(LONG)).await;
                unreachable!("the outer one is cancelled");
            });
            ended.await.is_err()
        });
        checkpoint().await;
        outer_handle.cancel();
        checkpoints(3).await;
        assert!(!task.is_finished());
        inner_handle.set_shield(false);
        task.await
    });
    assert!(ended);
}

#[anyio::test]
async fn switched_off_from_another_thread_it_cancels_what_waits_inside() {
    let inner = CancelScope::new().shield(true);
    let handle = inner.handle();
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        wait.recv().unwrap();
        handle.set_shield(false);
    });
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let _ = inner
            .run(async {
                checkpoints(2).await;
                ready.send(()).unwrap();
                sleep_forever().await
            })
            .await;
        unreachable!()
    });
    assert!(ended.is_err());
    thread.join().unwrap();
}

#[anyio::test]
async fn switched_on_from_another_task_it_protects_what_waits_inside() {
    let finished = task_group!(|tg| {
        let outer = CancelScope::new();
        let inner = CancelScope::new();
        let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
        let (sender, receiver) = futures::channel::oneshot::channel();
        let task = tg.spawn(async move {
            let mut got = None;
            let ended = outer.run(async {
                got = inner.run(receiver).await.ok();
                checkpoint().await;
                got = None;
            });
            assert!(ended.await.is_err());
            got
        });
        checkpoint().await;
        inner_handle.set_shield(true);
        outer_handle.cancel();
        checkpoints(3).await;
        assert!(!task.is_finished());
        sender.send("kept").unwrap();
        task.await
    });
    assert_eq!(finished, Some(Ok("kept")));
}

#[anyio::test]
async fn switched_back_and_forth_only_the_last_state_counts() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        cancel_scope!(|inner| {
            for _ in 0..3 {
                inner.set_shield(true);
                inner.set_shield(true);
                checkpoint().await;
                inner.set_shield(false);
            }
            inner.set_shield(true);
            checkpoint().await;
            log.push("through");
        })
        .unwrap();
    });
    assert!(ended.is_ok());
    assert_eq!(log, ["through"]);
}

#[anyio::test]
async fn switched_off_around_another_shield_the_inner_one_still_holds() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let _ = cancel_scope!(shield = true, |inner| {
            shield!({
                inner.set_shield(false);
                checkpoints(2).await;
                log.push("inner shield");
            });
            checkpoint().await;
            log.push("never");
        });
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["inner shield"]);
}

#[anyio::test]
async fn what_has_been_refused_already_is_not_saved_by_a_shield_switched_on_in_its_clean_up() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        let _ = cancel_scope!(|inner| {
            outer.cancel();
            finally!({ checkpoint().await }, {
                inner.set_shield(true);
                log.push("cleaned up");
            });
            log.push("never");
        });
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["cleaned up"]);
}

#[anyio::test]
async fn a_shield_switched_on_in_a_handler_protects_what_comes_after() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|outer| {
        cancel_scope!(|inner| {
            outer.cancel();
            catch_cancelled(sleep_forever()).await.unwrap_err();
            inner.set_shield(true);
            checkpoints(2).await;
            log.push("protected");
        })
        .unwrap();
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["protected"]);
}

#[anyio::test]
async fn the_shield_of_a_time_limit_can_be_switched_off() {
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        let _ = move_on_after!(shield = true, LONG, |limit| {
            sleep(SHORT).await;
            limit.set_shield(false);
            sleep_forever().await
        });
        unreachable!()
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn the_shield_of_a_running_group_can_be_switched() {
    let log = std::sync::Mutex::new(Vec::new());
    let log = &log;
    let ended = cancel_scope!(|outer| {
        task_group!(|tg| {
            let scope = tg.cancel_scope();
            let handle = scope.clone();
            tg.spawn(async move {
                checkpoints(3).await;
                log.lock().unwrap().push("protected");
                handle.set_shield(false);
                checkpoint().await;
                log.lock().unwrap().push("never");
            });
            scope.set_shield(true);
            outer.cancel();
        });
    });
    assert!(ended.is_err());
    assert_eq!(*log.lock().unwrap(), ["protected"]);
}
