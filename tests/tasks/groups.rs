//! Opening a group, starting children, waiting for them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyio::{LocalTaskGroup, Spawner, TaskGroup, checkpoint, local_task_group, task_group};
use futures::channel::oneshot;

use super::support::{Log, settle, when_dropped};

#[anyio::test]
async fn a_group_waits_for_all_children() {
    let log = Log::default();
    task_group!(|tg| {
        for name in ["a", "b", "c"] {
            let log = &log;
            tg.spawn(async move {
                settle().await;
                log.note(name);
            });
        }
        log.note("end of the body");
    });
    let entries = log.entries();
    assert_eq!(entries[0], "end of the body");
    assert_eq!(entries.len(), 4);
}

#[anyio::test]
async fn children_borrow_and_change_what_was_declared_before_the_group() {
    let word = String::from("ferris");
    let mut length = 0;
    let mut upper = String::new();
    task_group!(|tg| {
        tg.spawn(async {
            checkpoint().await;
            length = word.len();
        });
        tg.spawn(async {
            checkpoint().await;
            upper = word.to_uppercase();
        });
    });
    assert_eq!((length, upper.as_str()), (6, "FERRIS"));
}

#[anyio::test]
async fn a_group_gives_the_value_of_its_body_after_its_children_have_ended() {
    let ended = AtomicBool::new(false);
    let value = task_group!(|tg| {
        tg.spawn(async {
            settle().await;
            ended.store(true, Ordering::Relaxed);
        });
        "value"
    });
    assert_eq!(value, "value");
    assert!(ended.into_inner());
}

#[anyio::test]
async fn a_group_without_children_ends_with_its_body() {
    task_group!(|_tg| {});
    let value = task_group!(|_tg| {
        checkpoint().await;
        5
    });
    assert_eq!(value, 5);
}

#[anyio::test]
async fn a_child_is_first_polled_after_spawn_has_returned() {
    let polled = AtomicBool::new(false);
    task_group!(|tg| {
        let child = tg.spawn(async { polled.store(true, Ordering::Relaxed) });
        assert!(!polled.load(Ordering::Relaxed));
        child.await;
        assert!(polled.load(Ordering::Relaxed));
    });
}

#[anyio::test]
async fn a_child_that_is_spawned_by_a_child_is_not_polled_inside_spawn() {
    let polled = AtomicBool::new(false);
    task_group!(|tg| {
        tg.spawn(async {
            tg.spawn(async { polled.store(true, Ordering::Relaxed) });
            assert!(!polled.load(Ordering::Relaxed));
        });
    });
    assert!(polled.into_inner());
}

#[anyio::test]
async fn children_may_spawn_siblings_while_the_group_waits_for_its_end() {
    let count = AtomicU32::new(0);

    fn generation<'scope>(tasks: Spawner<'scope>, left: u32, count: &'scope AtomicU32) {
        for _ in 0..2 {
            tasks.spawn(async move {
                count.fetch_add(1, Ordering::Relaxed);
                settle().await;
                if left > 0 {
                    generation(tasks, left - 1, count);
                }
            });
        }
    }

    task_group!(|tg| generation(tg.spawner(), 3, &count));
    assert_eq!(count.into_inner(), 2 + 4 + 8 + 16);
}

#[anyio::test]
async fn a_handle_to_the_group_can_be_given_to_helpers_and_children() {
    async fn two(tg: TaskGroup<'_>) {
        tg.spawn(checkpoint());
        checkpoint().await;
        tg.spawn(checkpoint());
    }

    task_group!(|tg| {
        two(tg).await;
        tg.spawn(two(tg));
        tg.spawn(async move { two(tg).await });
    });
}

#[anyio::test(backends = [tokio, tokio(flavor = "current_thread"), smol, smol(threads = 1)])]
async fn members_take_turns() {
    let steps = [const { AtomicU32::new(0) }; 3];
    task_group!(|tg| {
        for (n, own) in steps.iter().enumerate() {
            let steps = &steps;
            tg.spawn(async move {
                for _ in 0..10 {
                    own.fetch_add(1, Ordering::Relaxed);
                    checkpoint().await;
                }
                // No promise of an order, but nobody has been left behind.
                for other in steps {
                    assert!(other.load(Ordering::Relaxed) >= 5, "member {n} ran alone");
                }
            });
        }
    });
}

#[anyio::test]
async fn groups_nest_and_each_waits_for_its_own_children_only() {
    let log = Log::default();
    let (release, released) = oneshot::channel();
    task_group!(|outer| {
        outer.spawn(async {
            released.await.unwrap();
            log.note("outer child");
        });
        task_group!(|inner| {
            inner.spawn(async {
                settle().await;
                log.note("inner child");
            });
        });
        log.note("inner group ended");
        release.send(()).unwrap();
    });
    assert_eq!(
        log.entries(),
        ["inner child", "inner group ended", "outer child"]
    );
}

#[anyio::test]
async fn a_child_of_an_inner_group_may_spawn_into_the_outer_one() {
    let log = Log::default();
    task_group!(|outer| {
        task_group!(|inner| {
            inner.spawn(async {
                outer.spawn(async {
                    settle().await;
                    log.note("child of the outer group");
                });
            });
        });
        log.note("inner group ended");
    });
    assert_eq!(
        log.entries(),
        ["inner group ended", "child of the outer group"]
    );
}

#[anyio::test]
async fn the_future_of_a_child_is_dropped_when_it_ends_and_not_later() {
    let dropped = AtomicBool::new(false);
    task_group!(|tg| {
        let guard = when_dropped(|| dropped.store(true, Ordering::Relaxed));
        let child = tg.spawn(async move {
            let _guard = guard;
            checkpoint().await;
        });
        child.wait().await;
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[anyio::test]
async fn nothing_of_a_group_is_left_after_its_end() {
    let kept = std::sync::Arc::new(());
    task_group!(|tg| {
        for _ in 0..3 {
            let in_future = kept.clone();
            let value = kept.clone();
            tg.spawn(async move {
                checkpoint().await;
                drop(in_future);
                value
            });
        }
    });
    assert_eq!(std::sync::Arc::strong_count(&kept), 1);
}

#[anyio::test]
async fn children_of_a_local_group_need_not_be_send() {
    let shared = Rc::new(Cell::new(0));
    let value = local_task_group!(|tg| {
        let in_child = Rc::clone(&shared);
        let child = tg.spawn(async move {
            checkpoint().await;
            in_child.set(in_child.get() + 1);
            in_child
        });
        fn another<'scope>(tg: LocalTaskGroup<'scope, Rc<Cell<i32>>>, shared: &'scope Cell<i32>) {
            tg.spawn(async { shared.set(shared.get() + 10) });
        }
        another(tg, &shared);
        child.await
    });
    assert_eq!(value.get(), 11);
}

#[anyio::test]
async fn a_local_group_fails_and_starts_like_any_other() {
    let shared = Rc::new(5);
    let result = local_task_group!(|tg| -> Result<(), Rc<i32>> {
        let inside = Rc::clone(&shared);
        let (value, _handle) = tg
            .start(move |status: anyio::TaskStatus<Rc<i32>>| async move {
                status.started(Rc::clone(&inside));
                checkpoint().await;
                Err::<(), _>(inside)
            })
            .await
            .unwrap();
        assert_eq!(*value, 5);
        Ok(())
    });
    assert_eq!(*result.unwrap_err().into_first(), 5);
}

#[test]
fn a_group_needs_no_backend_at_all() {
    let sum = futures::executor::block_on(async {
        task_group!(|tg| {
            let one = tg.spawn(async {
                checkpoint().await;
                1
            });
            let two = tg.spawn(async { 2 });
            one.await + two.await
        })
    });
    assert_eq!(sum, 3);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_group_works_in_a_program_of_tokio() {
    let slept = AtomicBool::new(false);
    task_group!(|tg| {
        tg.spawn(async {
            anyio::sleep(std::time::Duration::from_millis(1)).await;
            slept.store(true, Ordering::Relaxed);
        });
    });
    assert!(slept.into_inner());
}

#[anyio::test]
async fn a_loop_over_groups_that_have_nothing_to_wait_for_lets_others_run() {
    let stop = AtomicBool::new(false);
    let mut groups = 0;
    task_group!(|tg| {
        tg.spawn(async { stop.store(true, Ordering::Relaxed) });
        while !stop.load(Ordering::Relaxed) {
            task_group!(|_inner| {});
            groups += 1;
            assert!(groups < 10_000, "nobody else ever runs");
        }
    });
}
