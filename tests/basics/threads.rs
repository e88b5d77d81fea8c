//! `to_thread::run_sync`.

use std::panic::AssertUnwindSafe;

use anyio::to_thread;

#[anyio::test]
async fn run_sync_runs_on_another_thread_and_gives_the_value() {
    let here = std::thread::current().id();
    let there = to_thread::run_sync(|| std::thread::current().id()).await;
    assert_ne!(here, there);
}

#[anyio::test]
async fn a_panic_in_run_sync_passes_through_and_the_pool_lives_on() {
    use futures::FutureExt as _;
    let ended = AssertUnwindSafe(to_thread::run_sync(|| panic!("in the thread"))).catch_unwind();
    let payload = ended.await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in the thread"));
    assert_eq!(to_thread::run_sync(|| 5).await, 5);
}

#[anyio::test]
async fn a_cancelled_caller_of_run_sync_waits_for_the_thread_unless_it_abandons_it() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let abandoned = anyio::cancel_scope!(|scope| {
        let call = to_thread::run_sync(move || wait.recv().is_ok()).abandon_on_cancel(true);
        let mut call = Box::pin(call);
        assert!(futures::poll!(&mut call).is_pending());
        scope.cancel();
        call.await
    });
    assert!(abandoned.is_err());
    go.send(()).unwrap();
}
