//! Large, deep, and wrong uses.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};

use anyio::{checkpoint, shield, sleep_forever, task_group};

use super::support::{text, when_dropped};

const DEPTH: u32 = 1_000;

/// Runs `test` on a thread whose stack has room for a poll through a thousand groups in a debug build.
fn on_a_large_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

fn nested(depth: u32, deepest: &AtomicU32) -> Pin<Box<dyn Future<Output = u32> + Send + '_>> {
    Box::pin(async move {
        if depth == 0 {
            deepest.fetch_add(1, Ordering::Relaxed);
            checkpoint().await;
            return 0;
        }
        task_group!(|tg| {
            let child = tg.spawn(nested(depth - 1, deepest));
            child.await + 1
        })
    })
}

fn nested_for_ever(depth: u32, log: &AtomicU32) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
    Box::pin(async move {
        let _guard = when_dropped(|| {
            log.fetch_add(1, Ordering::Relaxed);
        });
        if depth == 0 {
            shield!({ checkpoint().await });
            return sleep_forever().await;
        }
        task_group!(|tg| {
            tg.spawn(nested_for_ever(depth - 1, log));
        });
    })
}

#[test]
fn a_thousand_groups_nest() {
    on_a_large_stack(|| {
        let deepest = AtomicU32::new(0);
        let value = futures::executor::block_on(nested(DEPTH, &deepest));
        assert_eq!((value, deepest.into_inner()), (DEPTH, 1));
    });
}

#[test]
fn a_thousand_nested_groups_are_cancelled_from_the_outside() {
    on_a_large_stack(|| {
        let dropped = AtomicU32::new(0);
        futures::executor::block_on(async {
            task_group!(|tg| {
                tg.spawn(nested_for_ever(DEPTH, &dropped));
                checkpoint().await;
                tg.cancel();
            });
        });
        assert_eq!(dropped.into_inner(), DEPTH + 1);
    });
}

#[test]
fn a_thousand_nested_groups_are_dropped_from_the_outside() {
    on_a_large_stack(|| {
        let dropped = AtomicU32::new(0);
        let mut future = nested_for_ever(DEPTH, &dropped);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
        drop(future);
        assert_eq!(dropped.into_inner(), DEPTH + 1);
    });
}

#[anyio::test]
async fn a_group_has_a_hundred_thousand_children() {
    const CHILDREN: u32 = 100_000;
    let sum = AtomicU32::new(0);
    task_group!(|tg| {
        for _ in 0..CHILDREN {
            tg.spawn(async {
                checkpoint().await;
                sum.fetch_add(1, Ordering::Relaxed);
            });
        }
        assert_eq!(tg.statistics().tasks, CHILDREN as usize);
    });
    assert_eq!(sum.into_inner(), CHILDREN);
}

#[anyio::test]
async fn a_hundred_thousand_children_are_cancelled_at_once() {
    const CHILDREN: u32 = 100_000;
    let (started, dropped) = (AtomicU32::new(0), AtomicU32::new(0));
    task_group!(|tg| {
        for _ in 0..CHILDREN {
            tg.spawn(async {
                started.fetch_add(1, Ordering::Relaxed);
                let _guard = when_dropped(|| {
                    dropped.fetch_add(1, Ordering::Relaxed);
                });
                sleep_forever().await;
            });
        }
        tg.cancel();
    });
    // Each has run to its first suspension, cancelled or not.
    assert_eq!(started.into_inner(), CHILDREN);
    assert_eq!(dropped.into_inner(), CHILDREN);
}

#[anyio::test]
async fn children_that_are_always_ready_let_the_rest_of_the_program_run() {
    let other = async {
        for _ in 0..3 {
            checkpoint().await;
        }
    };
    let spinning = async {
        task_group!(|tg| {
            for _ in 0..3 {
                tg.spawn(async {
                    loop {
                        checkpoint().await;
                    }
                });
            }
        });
    };
    tokio::select! {
        () = other => {}
        () = spinning => unreachable!("it never ends"),
    }
}

#[anyio::test]
async fn children_that_spawn_each_other_without_end_can_be_cancelled() {
    fn chain<'scope>(tasks: anyio::Spawner<'scope>, count: &'scope AtomicU32) {
        tasks.spawn(async move {
            checkpoint().await;
            count.fetch_add(1, Ordering::Relaxed);
            chain(tasks, count);
        });
    }

    let count = AtomicU32::new(0);
    task_group!(|tg| {
        chain(tg.spawner(), &count);
        while count.load(Ordering::Relaxed) < 1_000 {
            checkpoint().await;
        }
        tg.cancel();
    });
    assert!(count.into_inner() >= 1_000);
}

/// Polls a future to its end and then once more; gives the text of the panic.
fn polled_again<F: Future + Unpin>(mut future: F) -> String {
    let mut cx = Context::from_waker(Waker::noop());
    while Pin::new(&mut future).poll(&mut cx).is_pending() {}
    let again = catch_unwind(AssertUnwindSafe(|| {
        let _ = Pin::new(&mut future).poll(&mut cx);
    }));
    text(&*again.unwrap_err())
}

#[test]
fn polling_a_finished_wait_or_start_again_says_what_is_wrong() {
    let log = std::sync::Mutex::new(Vec::new());
    futures::executor::block_on(async {
        task_group!(|tg| {
            let child = tg.spawn(async { 1 });
            child.wait().await;
            log.lock().unwrap().push(polled_again(child.join()));
            let start = tg.start(async |status: anyio::TaskStatus| status.started(()));
            log.lock().unwrap().push(polled_again(start));
        });
    });
    assert_eq!(
        log.into_inner().unwrap(),
        [
            "a task handle was polled after it had given its value",
            "`start` was polled after it had ended"
        ]
    );
}

#[test]
fn polling_a_finished_group_again_panics() {
    let text = polled_again(Box::pin(anyio::gather([async {}])));
    assert!(
        text.contains("after completion") || text.contains("ended"),
        "{text}"
    );
}

#[anyio::test]
async fn a_child_of_size_zero_and_a_large_one_are_children_like_any_other() {
    task_group!(|tg| {
        let nothing = tg.spawn(std::future::ready(()));
        let large = tg.spawn(async {
            let bytes = [7u8; 100_000];
            checkpoint().await;
            bytes
        });
        let aligned = tg.spawn(async {
            #[repr(align(256))]
            struct Aligned(u8);
            let aligned = Aligned(3);
            checkpoint().await;
            assert_eq!(std::ptr::from_ref(&aligned).addr() % 256, 0);
            aligned.0
        });
        nothing.await;
        assert_eq!(large.await[99_999], 7);
        assert_eq!(aligned.await, 3);
    });
}

#[anyio::test]
async fn values_that_are_larger_or_stricter_than_their_future_have_room() {
    #[derive(Debug)]
    #[repr(align(128))]
    struct Large([u64; 64]);

    task_group!(|tg| {
        let large = tg.spawn(async { Large([5; 64]) });
        large.wait().await;
        let value = large.value().unwrap();
        assert_eq!(std::ptr::from_ref(value).addr() % 128, 0);
        assert_eq!(large.await.0, [5; 64]);
    });
    let result = task_group!(|tg| -> Result<(), Large> {
        tg.spawn(async { Err::<(), _>(Large([6; 64])) });
        pending().await
    });
    assert_eq!(result.unwrap_err().into_first().0, [6; 64]);
}
