//! Dropped from outside, by what is no scope of ours. What that loses is counted in `lost_clean_ups`, a test
//! of its own, since the count is one a process.

use std::cell::Cell;

use anyio::{
    CancelScope, catch_cancelled, checkpoint, finally, move_on_after, shield, sleep_forever,
    task_group,
};

use crate::support::{LONG, checkpoints, poll_once};

/// Notes that it was dropped.
struct Loud<'a>(&'a Cell<u32>);

impl Drop for Loud<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[anyio::test]
async fn each_kind_of_future_drops_what_is_inside() {
    let dropped = Cell::new(0);
    let inside = || {
        let loud = Loud(&dropped);
        async move {
            let _loud = loud;
            sleep_forever().await;
        }
    };
    let mut scoped = Box::pin(CancelScope::new().run(inside()));
    let mut limited = Box::pin(move_on_after(LONG, inside()));
    let mut failing = Box::pin(anyio::fail_after(LONG, inside()));
    let mut shielded = Box::pin(shield(inside()));
    let mut caught = Box::pin(catch_cancelled(inside()));
    assert!(poll_once(&mut scoped).await.is_pending());
    assert!(poll_once(&mut limited).await.is_pending());
    assert!(poll_once(&mut failing).await.is_pending());
    assert!(poll_once(&mut shielded).await.is_pending());
    assert!(poll_once(&mut caught).await.is_pending());
    drop((scoped, limited, failing, shielded, caught));
    assert_eq!(dropped.get(), 5);
}

#[anyio::test]
async fn what_was_never_polled_is_dropped_too() {
    let dropped = Cell::new(0);
    let loud = Loud(&dropped);
    drop(CancelScope::new().run(async move {
        let _loud = loud;
        checkpoint().await;
    }));
    assert_eq!(dropped.get(), 1);
}

#[anyio::test]
async fn a_clean_up_does_not_run() {
    let mut log = Vec::new();
    let mut work = Box::pin(async {
        finally!({ sleep_forever().await }, {
            checkpoint().await;
            log.push("cleaned up");
        });
    });
    assert!(poll_once(&mut work).await.is_pending());
    drop(work);
    assert!(log.is_empty());
}

#[anyio::test]
async fn a_holding_part_dropped_in_a_cancelled_scope_no_longer_holds_it() {
    let ended = anyio::cancel_scope!(|scope| {
        let mut shielded = Box::pin(shield(sleep_forever()));
        assert!(poll_once(&mut shielded).await.is_pending());
        scope.cancel();
        drop(shielded);
        sleep_forever().await;
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_holding_part_dropped_by_a_foreign_select_no_longer_holds_the_scope() {
    let ended = anyio::cancel_scope!(|scope| {
        scope.cancel();
        tokio::select! {
            () = shield(sleep_forever()) => {}
            () = shield(checkpoints(3)) => {}
        }
        checkpoint().await;
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_holding_part_dropped_by_another_task_lets_the_scope_end() {
    let ended = task_group!(|tg| {
        let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
        let scope = CancelScope::new();
        let handle = scope.handle();
        let in_task = std::sync::Arc::clone(&slot);
        let task = tg.spawn(scope.run(async move {
            let mut shielded = Box::pin(shield(std::future::pending::<()>()));
            assert!(poll_once(&mut shielded).await.is_pending());
            *in_task.lock().unwrap() = Some(shielded);
            sleep_forever().await;
        }));
        checkpoint().await;
        handle.cancel();
        checkpoints(3).await;
        assert!(!task.is_finished(), "held by what is in the slot");
        drop(slot.lock().unwrap().take());
        task.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_scope_dropped_in_the_middle_of_a_poll_of_its_task_leaves_the_rest_in_order() {
    let ended = anyio::cancel_scope!(|outer| {
        let mut inner = Box::pin(async {
            anyio::cancel_scope!(|inner| {
                inner.set_shield(true);
                sleep_forever().await;
            })
        });
        assert!(poll_once(&mut inner).await.is_pending());
        outer.cancel();
        drop(inner);
        shield(checkpoints(2)).await;
        checkpoint().await;
    });
    assert!(ended.is_err());
}
