//! In runtimes and threads that were started otherwise.

use std::panic::AssertUnwindSafe;

use anyio::{
    checkpoint, current_task, current_time, sleep, task_group, to_thread, try_current_time,
};

#[cfg(feature = "tokio")]
use crate::support::work;
use crate::support::{LONG, SHORT};

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_works_in_a_program_that_tokio_started() {
    assert_eq!(work().await, 6);
    assert_eq!(tokio::spawn(work()).await.unwrap(), 6);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn all_of_it_works_on_the_current_thread_runtime_of_tokio() {
    assert_eq!(work().await, 6);
    assert_eq!(tokio::spawn(work()).await.unwrap(), 6);
}

#[cfg(feature = "tokio")]
#[test]
fn all_of_it_works_in_a_local_set() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let value = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(work()).await.unwrap()
    });
    assert_eq!(value, 6);
}

#[cfg(feature = "tokio")]
#[test]
fn inside_a_runtime_that_was_entered_only_the_clock_is_there() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    assert!(try_current_time().is_ok());
    assert!(current_task().is_err());
}

#[test]
fn without_a_backend_the_error_names_the_remedies() {
    let error = try_current_time().unwrap_err();
    let text = error.to_string();
    for remedy in [
        "`#[anyio::main]`",
        "`#[anyio::test]`",
        "`anyio::run(backend, future)`",
        "tokio runtime",
    ] {
        assert!(text.contains(remedy), "{text}");
    }
    assert_eq!(current_task().unwrap_err(), error);
}

#[test]
fn operations_without_a_backend_panic_and_say_what_they_need() {
    fn panic_of(future: impl Future) -> String {
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
            futures::executor::block_on(future);
        }));
        *ended.unwrap_err().downcast::<String>().unwrap()
    }
    let text = panic_of(sleep(SHORT));
    assert!(
        text.starts_with("`sleep` needs a timer, but no async backend is running here"),
        "{text}"
    );
    let text = panic_of(to_thread::run_sync(|| ()));
    assert!(
        text.starts_with("`to_thread::run_sync` needs a thread, but no async backend"),
        "{text}"
    );
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn_parallel(async {});
        });
    });
    assert!(
        text.starts_with("`spawn_parallel` starts a task, but no async backend"),
        "{text}"
    );
    let text = panic_of(async { current_time() });
    assert!(
        text.starts_with("no async backend is running here"),
        "{text}"
    );
}

#[test]
fn what_only_polls_and_wakes_needs_no_backend() {
    let value = futures::executor::block_on(async {
        checkpoint().await;
        task_group!(|tg| {
            let a = tg.spawn(async {
                checkpoint().await;
                1
            });
            a.await + anyio::shield!({ 1 })
        })
    });
    assert_eq!(value, 2);
}

#[anyio::test]
async fn a_thread_of_ones_own_has_no_backend() {
    let thread = std::thread::spawn(|| try_current_time().is_err());
    assert!(thread.join().unwrap());
}

#[anyio::test]
async fn a_worker_thread_is_no_task_and_in_no_scope() {
    let seen = anyio::move_on_after!(LONG, {
        to_thread::run_sync(|| (current_task().is_err(), anyio::current_effective_deadline())).await
    });
    assert_eq!(seen, Some((true, anyio::EffectiveDeadline::Never)));
}
