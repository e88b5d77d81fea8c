//! Scope handles: used from inside, from another task, from another thread, before and after.

use std::time::Instant;

use anyio::{CancelScope, ScopeHandle, cancel_scope, checkpoint, sleep, sleep_forever, task_group};

use crate::support::{LONG, SHORT, checkpoints};

#[anyio::test]
async fn a_handle_tells_the_state_at_each_stage() {
    let scope = CancelScope::new().shield(true);
    let handle = scope.handle();
    let state = |handle: &ScopeHandle| {
        (
            handle.shield(),
            handle.deadline().is_some(),
            handle.cancel_called(),
            handle.cancelled_caught(),
        )
    };
    assert_eq!(state(&handle), (true, false, false, false));
    let ended = scope.run(async {
        assert_eq!(state(&handle), (true, false, false, false));
        handle.set_shield(false);
        handle.set_deadline(anyio::current_time() + LONG);
        assert_eq!(state(&handle), (false, true, false, false));
        handle.cancel();
        assert_eq!(state(&handle), (false, true, true, false));
        checkpoint().await;
    });
    assert!(ended.await.is_err());
    assert_eq!(state(&handle), (false, true, true, true));
}

#[anyio::test]
async fn clones_are_handles_of_the_same_scope() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (a, b) = (handle.clone(), scope.handle());
    a.cancel();
    assert!(handle.cancel_called() && b.cancel_called());
    assert!(scope.run(checkpoint()).await.is_err());
    assert!(a.cancelled_caught() && b.cancelled_caught());
}

#[anyio::test]
async fn another_task_cancels_a_waiting_scope() {
    let ended = task_group!(|tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let waiting = tg.spawn(scope.run(sleep(LONG)));
        checkpoints(2).await;
        handle.cancel();
        waiting.await
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn another_thread_cancels_a_waiting_scope() {
    let (sender, receiver) = std::sync::mpsc::channel::<ScopeHandle>();
    let thread = std::thread::spawn(move || receiver.recv().unwrap().cancel());
    let ended = cancel_scope!(|scope| {
        sender.send(scope.clone()).unwrap();
        sleep(LONG).await;
    });
    assert!(ended.is_err());
    thread.join().unwrap();
}

#[anyio::test]
async fn a_parallel_task_cancels_a_waiting_scope() {
    let ended = task_group!(|tg| {
        cancel_scope!(|scope| {
            let handle = scope.clone();
            tg.spawn_parallel(async move {
                checkpoint().await;
                handle.cancel();
            });
            sleep_forever().await
        })
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_scope_cancels_what_a_parallel_task_waits_for() {
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn_parallel(sleep(LONG));
            tg.spawn_parallel(std::future::pending::<()>());
            checkpoint().await;
            scope.cancel();
        })
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn another_thread_brings_a_deadline_forward() {
    let scope = CancelScope::new().deadline_after(LONG);
    let handle = scope.handle();
    let (started, wait) = std::sync::mpsc::channel();
    let now = anyio::current_time();
    let thread = std::thread::spawn(move || {
        wait.recv().unwrap();
        handle.set_deadline(now + SHORT);
    });
    let ended = scope.run(async {
        checkpoint().await;
        started.send(()).unwrap();
        sleep_forever().await
    });
    assert!(ended.await.unwrap_err().is_deadline());
    thread.join().unwrap();
}

#[anyio::test]
async fn many_threads_that_cancel_at_once_do_it_once() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = std::thread::scope(|threads| {
        for n in 0..4 {
            let handle = handle.clone();
            threads.spawn(move || handle.cancel_because(format!("thread {n}")));
        }
        scope.run(sleep_forever())
    });
    let cancelled = ended.await.unwrap_err();
    assert!(cancelled.reason().unwrap().starts_with("thread "));
}

#[anyio::test]
async fn a_handle_outlives_its_scope_and_tells_what_became_of_it() {
    let (dropped, ended) = {
        let never_entered = CancelScope::new();
        let entered = CancelScope::new();
        let handles = (never_entered.handle(), entered.handle());
        handles.1.cancel();
        assert!(entered.run(checkpoint()).await.is_err());
        handles
    };
    assert!(!dropped.cancel_called());
    dropped.cancel();
    assert!(dropped.cancel_called() && !dropped.cancelled_caught());
    assert!(ended.cancel_called() && ended.cancelled_caught());
}

#[anyio::test]
async fn a_scope_whose_future_is_dropped_was_not_caught() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut future = Box::pin(scope.run(sleep_forever()));
    assert!(crate::support::poll_once(&mut future).await.is_pending());
    drop(future);
    handle.cancel();
    assert!(!handle.cancelled_caught());
}

#[anyio::test]
async fn the_groups_own_scope_is_one_like_any_other() {
    let mut kept = None;
    task_group!(|tg| {
        let scope = tg.cancel_scope();
        tg.spawn(sleep_forever());
        scope.set_deadline(anyio::current_time() + SHORT);
        kept = Some(scope);
    });
    let scope = kept.unwrap();
    assert!(scope.cancel_called() && scope.cancelled_caught());
}

#[test]
fn a_handle_prints_its_state() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    handle.cancel();
    let text = format!("{handle:?}");
    assert!(text.contains("cancel_called: true"), "{text}");
    assert!(text.contains("cancelled_caught: false"), "{text}");
}

#[test]
fn a_scope_needs_no_backend_to_be_built_and_changed() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    handle.set_deadline(Instant::now() + LONG);
    handle.set_shield(true);
    assert!(handle.deadline().is_some() && handle.shield());
    handle.set_deadline(None);
    assert!(handle.deadline().is_none());
}
