//! Manual: docs/manual/tasks.md
//!
//! What has no caller to be reported to is counted for the whole process, so these tests are a program of their
//! own, and run one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use anyio::{
    catch_cancelled, checkpoint, finally, further_panics, lost_clean_ups, shield, sleep_forever,
    task_group,
};
use futures::FutureExt as _;
use futures::lock::{Mutex, MutexGuard};

/// The counts of one test.
struct Counts {
    lost_clean_ups: usize,
    further_panics: usize,
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl Counts {
    async fn new() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let guard = ONE_AT_A_TIME.lock().await;
        Self {
            lost_clean_ups: lost_clean_ups(),
            further_panics: further_panics(),
            _one_at_a_time: guard,
        }
    }

    /// How many clean-ups were lost and how many panics came after a first one, since the start.
    fn risen_by(&self) -> (usize, usize) {
        (
            lost_clean_ups() - self.lost_clean_ups,
            further_panics() - self.further_panics,
        )
    }
}

async fn settle() {
    for _ in 0..20 {
        checkpoint().await;
    }
}

/// Panics when it is dropped.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("a destructor");
    }
}

#[anyio::test]
async fn a_group_that_ends_by_itself_loses_nothing() {
    let counts = Counts::new().await;
    task_group!(|tg| {
        tg.spawn(async {
            finally!({ sleep_forever().await }, { settle().await });
        });
        tg.spawn(async { shield!({ settle().await }) });
        checkpoint().await;
        tg.cancel();
    });
    assert_eq!(counts.risen_by(), (0, 0));
}

#[anyio::test]
async fn a_group_dropped_from_outside_without_clean_ups_loses_nothing() {
    let counts = Counts::new().await;
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn(sleep_forever());
                tg.spawn(async { drop(catch_cancelled(sleep_forever())) });
            });
        });
        assert!(futures::poll!(group.as_mut()).is_pending());
    }
    assert_eq!(counts.risen_by(), (0, 0));
}

#[anyio::test]
async fn a_group_dropped_in_the_middle_of_a_shield_is_counted() {
    let counts = Counts::new().await;
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn(async { shield!({ sleep_forever().await }) });
            });
        });
        assert!(futures::poll!(group.as_mut()).is_pending());
    }
    assert!(counts.risen_by().0 >= 1);
}

#[anyio::test]
async fn a_clean_up_that_a_foreign_drop_made_impossible_is_counted() {
    let counts = Counts::new().await;
    tokio::select! {
        () = async {
            task_group!(|tg| {
                tg.spawn(async {
                    finally!({ sleep_forever().await }, { unreachable!("it was dropped") });
                });
            })
        } => unreachable!("it never ends"),
        () = settle() => {}
    }
    assert!(counts.risen_by().0 >= 1);
}

#[anyio::test]
async fn a_panic_inside_a_shield_loses_no_clean_up() {
    let counts = Counts::new().await;
    let ended = AssertUnwindSafe(async {
        shield!({
            checkpoint().await;
            panic!("in the shield");
        })
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(counts.risen_by(), (0, 0));
}

#[anyio::test]
async fn a_panic_inside_a_shielded_scope_loses_no_clean_up() {
    let counts = Counts::new().await;
    let scope = anyio::CancelScope::new().shield(true).run(async {
        checkpoint().await;
        panic!("inside")
    });
    let caught = AssertUnwindSafe(scope).catch_unwind().await;
    assert!(caught.is_err());
    assert_eq!(counts.risen_by(), (0, 0));
}

#[anyio::test]
async fn one_panic_is_not_a_further_one() {
    let counts = Counts::new().await;
    let ended = AssertUnwindSafe(async {
        task_group!(|tg| {
            tg.spawn(async { panic!("the first") });
            sleep_forever().await
        });
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(counts.risen_by(), (0, 0));
}

#[anyio::test]
async fn panics_after_the_first_are_counted() {
    let counts = Counts::new().await;
    let ended = AssertUnwindSafe(async {
        task_group!(|tg| {
            for n in 0..3 {
                tg.spawn(async move { panic!("child {n}") });
            }
            panic!("the body");
        });
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(counts.risen_by(), (0, 3));
}

#[anyio::test]
async fn a_panic_of_a_parallel_child_after_the_first_is_counted() {
    let counts = Counts::new().await;
    let ended = AssertUnwindSafe(async {
        task_group!(|tg| {
            tg.spawn_parallel(async {
                shield!({ checkpoint().await });
                panic!("the parallel child");
            });
            panic!("the body");
        });
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(counts.risen_by(), (0, 1));
}

#[anyio::test]
async fn a_panic_in_a_destructor_after_a_panic_of_the_same_child_is_counted() {
    let counts = Counts::new().await;
    let ended = AssertUnwindSafe(async {
        task_group!(|tg| {
            let panics = Panics;
            tg.spawn(std::future::poll_fn(move |_| -> std::task::Poll<()> {
                // The closure owns it, so that it is dropped with the future and not by the first panic.
                let _owned = &panics;
                panic!("the child")
            }));
        });
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(counts.risen_by(), (0, 1));
}

#[anyio::test]
async fn a_value_that_nobody_asks_for_and_that_panics_is_counted() {
    let counts = Counts::new().await;
    task_group!(|tg| {
        tg.spawn(async { Panics });
    });
    assert_eq!(counts.risen_by(), (0, 1));
}

#[anyio::test]
async fn panics_while_a_group_is_dropped_are_counted_after_the_first() {
    let counts = Counts::new().await;
    let mut group = Box::pin(async {
        task_group!(|tg| {
            for _ in 0..3 {
                tg.spawn(async {
                    let _panics = Panics;
                    sleep_forever().await
                });
            }
        });
    });
    assert!(futures::poll!(group.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(move || drop(group))).is_err());
    assert_eq!(counts.risen_by(), (0, 2));
}

#[anyio::test]
async fn a_panic_of_a_parallel_child_whose_group_is_gone_is_counted() {
    let counts = Counts::new().await;
    let (release, released) = futures::channel::oneshot::channel::<()>();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn_parallel(async {
                    shield!({
                        // Ends once the group is gone.
                        let _ = released.await;
                    });
                    panic!("nobody is left to hear it");
                });
                sleep_forever().await
            });
        });
        assert!(futures::poll!(group.as_mut()).is_pending());
    }
    assert_eq!(counts.risen_by().1, 0);
    drop(release);
    while counts.risen_by().1 == 0 {
        checkpoint().await;
    }
    assert_eq!(counts.risen_by().1, 1);
}
