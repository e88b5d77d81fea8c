//! Cancel scopes: entered, cancelled, ended.

use anyio::{CancelScope, cancel_scope, checkpoint, sleep_forever, task_group};

use crate::support::checkpoints;

#[anyio::test]
async fn a_scope_that_nobody_cancels_gives_the_value() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let value = scope.run(async {
        checkpoint().await;
        5
    });
    assert_eq!(value.await.unwrap(), 5);
    assert!(!handle.cancel_called());
    assert!(!handle.cancelled_caught());
}

#[anyio::test]
async fn a_scope_cancelled_before_it_is_entered_cancels_the_first_suspension() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut reached = 0;
    let ended = scope.run(async {
        reached += 1;
        checkpoint().await;
        reached += 1;
    });
    assert!(ended.await.is_err());
    assert_eq!(reached, 1);
}

#[anyio::test]
async fn a_body_that_never_suspends_runs_to_its_end_and_nothing_was_caught() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    handle.cancel();
    assert_eq!(scope.run(async { 7 }).await.unwrap(), 7);
    assert!(handle.cancel_called());
    assert!(!handle.cancelled_caught());
}

#[anyio::test]
async fn a_body_that_cancels_its_own_scope_runs_on_to_its_next_suspension() {
    let mut log = Vec::new();
    let ended = cancel_scope!(|scope| {
        log.push("before");
        scope.cancel();
        log.push("after");
        checkpoint().await;
        log.push("never");
    });
    assert!(ended.is_err());
    assert_eq!(log, ["before", "after"]);
}

#[anyio::test]
async fn a_body_that_ends_right_after_its_scope_was_cancelled_keeps_its_value() {
    let ended = cancel_scope!(|scope| {
        checkpoint().await;
        scope.cancel();
        "kept"
    });
    assert_eq!(ended.unwrap(), "kept");
}

#[anyio::test]
async fn the_code_after_a_cancelled_scope_runs_on_unharmed() {
    for _ in 0..3 {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            sleep_forever().await
        });
        assert!(ended.is_err());
        checkpoint().await;
    }
    let fresh = cancel_scope!(|scope| {
        checkpoint().await;
        scope.cancel_called()
    });
    assert!(!fresh.unwrap());
}

#[anyio::test]
async fn cancel_returns_before_anybody_has_reacted() {
    let mut log = Vec::new();
    task_group!(|tg| {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let log = std::sync::Mutex::new(&mut log);
        let log = std::sync::Arc::new(log);
        let from_child = std::sync::Arc::clone(&log);
        tg.spawn(async move {
            let ended = cancel_scope!(|scope| {
                sender.send(scope.clone()).unwrap();
                sleep_forever().await
            });
            assert!(ended.is_err());
            from_child.lock().unwrap().push("reacted");
        });
        let scope: anyio::ScopeHandle = receiver.await.unwrap();
        scope.cancel();
        assert!(scope.cancel_called());
        assert!(!scope.cancelled_caught());
        log.lock().unwrap().push("cancelled");
        checkpoints(3).await;
        assert!(scope.cancelled_caught());
    });
    assert_eq!(log, ["cancelled", "reacted"]);
}

#[anyio::test]
async fn a_second_cancel_changes_nothing() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = scope.run(async {
        handle.cancel();
        handle.cancel();
        sleep_forever().await
    });
    assert!(ended.await.is_err());
    handle.cancel();
    assert!(handle.cancelled_caught());
}

#[anyio::test]
async fn cancelling_a_scope_that_is_over_does_nothing() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    scope.run(checkpoint()).await.unwrap();
    handle.cancel();
    handle.set_shield(true);
    handle.set_deadline(anyio::current_time());
    assert!(handle.cancel_called());
    assert!(!handle.cancelled_caught());
    checkpoints(3).await;
}

#[anyio::test]
async fn a_scope_that_is_over_wakes_nobody() {
    #[derive(Default)]
    struct Wakes(std::sync::atomic::AtomicUsize);
    impl std::task::Wake for Wakes {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let wakes = std::sync::Arc::new(Wakes::default());
    let waker = std::task::Waker::from(std::sync::Arc::clone(&wakes));
    let mut cx = std::task::Context::from_waker(&waker);
    let count = || wakes.0.load(std::sync::atomic::Ordering::Relaxed);

    let scope = CancelScope::new();
    let handle = scope.handle();
    let (sender, receiver) = futures::channel::oneshot::channel();
    let mut inside = Box::pin(scope.run(receiver));
    assert!(inside.as_mut().poll(&mut cx).is_pending());
    sender.send(5).unwrap();
    assert_eq!(count(), 1);
    assert!(inside.as_mut().poll(&mut cx).is_ready());
    handle.cancel();
    handle.set_deadline(anyio::current_time());
    handle.set_shield(true);
    handle.set_shield(false);
    assert_eq!(count(), 1);

    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut inside = Box::pin(scope.run(sleep_forever()));
    assert!(inside.as_mut().poll(&mut cx).is_pending());
    handle.cancel();
    assert_eq!(count(), 2, "one that waits is woken once");
    assert!(inside.as_mut().poll(&mut cx).is_ready());
    handle.cancel();
    assert_eq!(count(), 2);
}

#[anyio::test]
async fn cancelling_one_scope_leaves_its_neighbours_alone() {
    let mut log = Vec::new();
    cancel_scope!(|outer| {
        let inner = cancel_scope!(|scope| {
            scope.cancel();
            sleep_forever().await
        });
        assert!(inner.is_err());
        assert!(!outer.cancel_called());
        checkpoint().await;
        log.push("between");
        let next = cancel_scope!(|_scope| checkpoint().await);
        assert!(next.is_ok());
    })
    .unwrap();
    assert_eq!(log, ["between"]);
}

#[anyio::test]
async fn the_inside_is_dropped_before_the_scope_ends() {
    struct Loud<'a>(&'a std::cell::Cell<bool>);
    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = std::cell::Cell::new(false);
    let ended = cancel_scope!(|scope| {
        let _loud = Loud(&dropped);
        scope.cancel();
        sleep_forever().await;
    });
    assert!(ended.is_err());
    assert!(dropped.get());
}

#[anyio::test]
async fn a_scope_around_a_group_cancels_all_its_tasks() {
    let ended = std::sync::atomic::AtomicUsize::new(0);
    let count = &ended;
    let scoped = cancel_scope!(|scope| {
        task_group!(|tg| {
            for _ in 0..5 {
                tg.spawn(async move {
                    anyio::finally!({ sleep_forever().await }, {
                        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    });
                });
            }
            checkpoint().await;
            scope.cancel();
        })
    });
    assert!(scoped.is_err());
    assert_eq!(ended.into_inner(), 5);
}

#[anyio::test]
async fn a_scope_inside_a_task_cancels_that_part_alone() {
    let sum = task_group!(|tg| {
        let cut = tg.spawn(async {
            let ended = cancel_scope!(|scope| {
                scope.cancel();
                sleep_forever().await
            });
            checkpoint().await;
            u32::from(ended.is_err())
        });
        let whole = tg.spawn(async {
            checkpoints(5).await;
            10
        });
        cut.await + whole.await
    });
    assert_eq!(sum, 11);
}

#[anyio::test]
async fn cancel_scope_takes_an_option_and_an_annotation() {
    let ended = cancel_scope!(
        shield = true,
        |scope| -> Result<u32, std::num::ParseIntError> {
            assert!(scope.shield());
            Ok("5".parse::<u32>()? + 1)
        }
    );
    assert_eq!(ended.unwrap(), Ok(6));
}

#[anyio::test]
async fn the_functions_and_the_macros_are_the_same() {
    let by_macro = cancel_scope!(|scope| {
        scope.cancel_because("enough");
        sleep_forever().await
    });
    let scope = CancelScope::new();
    let handle = scope.handle();
    let by_function = scope.run(async move {
        handle.cancel_because("enough");
        sleep_forever().await
    });
    assert_eq!(
        by_macro.unwrap_err().to_string(),
        by_function.await.unwrap_err().to_string()
    );
}
