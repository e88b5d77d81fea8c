//! Exact times, on tokio's paused clock.

use std::future::Future;
use std::time::Duration;

use anyio::{
    Backend, CancelScope, current_time, move_on_after, move_on_at, sleep, sleep_forever,
    sleep_until, task_group,
};

use crate::support::{Boxed, LONG, checkpoints};

/// Runs `inside` on a runtime whose clock stands still while anything can run.
fn paused<F: Future>(inside: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(inside)
}

const SECOND: Duration = Duration::from_secs(1);

/// How long `inside` takes, in whole milliseconds.
async fn millis(inside: impl Future) -> u128 {
    let before = current_time();
    inside.await;
    (current_time() - before).as_millis()
}

#[test]
fn deadlines_go_off_on_the_paused_clock_to_the_millisecond() {
    paused(async {
        for limit in [1, 7, 999, 1000, 86_400_000] {
            let took = millis(move_on_after(Duration::from_millis(limit), sleep_forever())).await;
            assert_eq!(took, u128::from(limit));
        }
        assert_eq!(millis(sleep(SECOND * 90)).await, 90_000);
        assert_eq!(millis(sleep_until(current_time() + SECOND)).await, 1000);
    });
}

#[test]
fn the_clock_of_the_crate_is_the_paused_one() {
    paused(async {
        let before = current_time();
        tokio::time::advance(LONG).await;
        assert_eq!(current_time() - before, LONG);
        assert_eq!(millis(checkpoints(100)).await, 0);
    });
}

#[test]
fn it_works_through_run_on_a_runtime_that_the_caller_paused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let backend = Backend::tokio().runtime(std::sync::Arc::new(runtime));
    let took = anyio::run(backend, millis(move_on_after(LONG, sleep_forever()))).unwrap();
    assert_eq!(took, LONG.as_millis());
}

/// Levels of nested limits of so many seconds, the first outermost. Each that ends by its own deadline notes its
/// level and the time, then waits for the next one further out.
fn nest<'a>(
    limits: &'a [u64],
    level: usize,
    ended: &'a std::sync::Mutex<Vec<(usize, u128)>>,
) -> Boxed<'a, ()> {
    Box::pin(async move {
        let Some((first, rest)) = limits.split_first() else {
            return sleep_forever().await;
        };
        let before = current_time();
        let limit = Duration::from_secs(*first);
        if move_on_after(limit, nest(rest, level + 1, ended))
            .await
            .is_none()
        {
            let took = (current_time() - before).as_millis();
            ended.lock().unwrap().push((level, took));
        }
        if level > 0 {
            sleep_forever().await;
        }
    })
}

#[test]
fn of_nested_limits_those_end_that_no_earlier_one_is_around() {
    // A simple generator of numbers, so that the cases are the same each time.
    let mut seed = 1_u64;
    let mut number = move |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..200 {
        let limits: Vec<u64> = (0..1 + number(8)).map(|_| 1 + number(6)).collect();
        let mut ended = std::sync::Mutex::new(Vec::new());
        paused(nest(&limits, 0, &ended));
        // A limit ends its scope if all further out are later; of equal ones, the outermost does.
        let mut expected: Vec<(usize, u128)> = (0..limits.len())
            .filter(|&n| limits[..n].iter().all(|outer| *outer > limits[n]))
            .map(|n| (n, u128::from(limits[n]) * 1000))
            .collect();
        expected.reverse();
        assert_eq!(*ended.get_mut().unwrap(), expected, "{limits:?}");
    }
}

#[test]
fn sixteen_nested_limits_end_at_their_times_from_the_inside_out() {
    let limits: Vec<u64> = (1..=16).rev().collect();
    let mut ended = std::sync::Mutex::new(Vec::new());
    paused(nest(&limits, 0, &ended));
    let expected: Vec<(usize, u128)> = (0..16)
        .rev()
        .map(|n| (n, (16 - n as u128) * 1000))
        .collect();
    assert_eq!(*ended.get_mut().unwrap(), expected);
}

#[test]
fn a_deadline_moved_later_ends_the_scope_then() {
    paused(async {
        let took = millis(async {
            anyio::move_on_after!(1s, |scope| {
                sleep(SECOND / 2).await;
                scope.set_deadline(current_time() + SECOND * 2);
                sleep_forever().await;
            })
        });
        assert_eq!(took.await, 2500);
    });
}

#[test]
fn an_inner_deadline_taken_away_leaves_the_outer_one_exact() {
    paused(async {
        let took = millis(async {
            anyio::move_on_after!(5s, {
                anyio::move_on_after!(3s, |inner| {
                    sleep(SECOND).await;
                    inner.set_deadline(None);
                    sleep_forever().await;
                })
            })
        });
        assert_eq!(took.await, 5000);
    });
}

#[test]
fn a_deadline_moved_by_another_task_ends_the_scope_then() {
    paused(async {
        for (first, then) in [(LONG, SECOND), (SECOND, SECOND * 5)] {
            let took = millis(async {
                task_group!(|tg| {
                    let scope = CancelScope::new().deadline_after(first);
                    let handle = scope.handle();
                    let begun = current_time();
                    tg.spawn(
                        async move { move_on_after!(LONG, { scope.run(sleep_forever()).await }) },
                    );
                    sleep(SECOND / 2).await;
                    handle.set_deadline(begun + then);
                });
            });
            assert_eq!(took.await, then.as_millis());
        }
    });
}

#[test]
fn the_time_of_a_relative_limit_counts_from_its_first_poll() {
    paused(async {
        let limit = move_on_after(SECOND, sleep_forever());
        let nap = sleep(SECOND);
        sleep(SECOND * 3).await;
        assert_eq!(millis(limit).await, 1000);
        assert_eq!(millis(nap).await, 1000);
    });
}

#[test]
fn an_absolute_limit_does_not_depend_on_when_it_is_polled() {
    paused(async {
        let limit = move_on_at(current_time() + SECOND * 5, sleep_forever());
        sleep(SECOND * 3).await;
        assert_eq!(millis(limit).await, 2000);
    });
}

#[test]
fn a_foreign_sleep_inside_a_limit_is_cut_short_in_time() {
    paused(async {
        let took = millis(move_on_after(SECOND, tokio::time::sleep(LONG)));
        assert_eq!(took.await, 1000);
        let took = millis(move_on_after(LONG, tokio::time::sleep(SECOND)));
        assert_eq!(took.await, 1000);
    });
}

#[test]
fn limits_that_moved_to_other_tasks_end_in_time_and_so_do_those_they_left() {
    paused(async {
        let (outer, inner) = task_group!(|tg| {
            let (sender, receiver) = futures::channel::oneshot::channel();
            let outer = tg.spawn(millis(move_on_after(SECOND * 5, async move {
                let mut inner = Box::pin(move_on_after(SECOND * 3, sleep_forever()));
                assert!(crate::support::poll_once(&mut inner).await.is_pending());
                sender.send(inner).ok().unwrap();
                sleep_forever().await;
            })));
            let inner = tg.spawn(millis(async move { receiver.await.unwrap().await }));
            (outer.await, inner.await)
        });
        assert_eq!((outer, inner), (5000, 3000));
    });
}

#[test]
fn a_limit_lost_from_under_another_leaves_that_one_exact() {
    paused(async {
        for lose in [drop, forget] {
            let took = millis(move_on_after(SECOND * 5, async move {
                let mut inner: Boxed<'_, Option<()>> =
                    Box::pin(move_on_after(SECOND * 3, sleep_forever()));
                assert!(crate::support::poll_once(&mut inner).await.is_pending());
                lose(inner);
                sleep_forever().await;
            }));
            assert_eq!(took.await, 5000);
        }
    });
}

fn forget(future: Boxed<'_, Option<()>>) {
    #[allow(
        clippy::mem_forget,
        reason = "that nothing depends on its drop is the point"
    )]
    std::mem::forget(future);
}

#[test]
fn a_thousand_tasks_each_end_in_their_time() {
    paused(async {
        let took = millis(async {
            task_group!(|tg| {
                for n in 0..1000 {
                    tg.spawn(async move {
                        let limit = Duration::from_millis(10 * (n + 1));
                        let took =
                            millis(move_on_after(limit, move_on_after(LONG, sleep_forever())));
                        assert_eq!(took.await, limit.as_millis());
                    });
                }
            });
        });
        assert_eq!(took.await, 10_000);
    });
}

/// Two limits around a sleep of a second, so that the timer of the limit around them is armed and stays so.
async fn quiet_second() {
    let slept = move_on_after(SECOND * 100, move_on_after(SECOND * 90, sleep(SECOND)));
    assert_eq!(slept.await, Some(Some(())));
}

#[test]
fn a_limit_begun_in_one_that_ends_at_once_ends_in_time() {
    paused(async {
        let took = millis(move_on_after(SECOND * 200, async {
            quiet_second().await;
            let mut inside = Box::pin(move_on_after(SECOND, sleep_forever()));
            let begun = move_on_after(SECOND * 50, crate::support::poll_once(&mut inside)).await;
            assert!(begun.unwrap().is_pending());
            inside.await;
        }));
        assert_eq!(took.await, 2000);
    });
}

#[test]
fn a_limit_begun_in_one_that_panics_at_once_ends_in_time() {
    use futures::FutureExt as _;
    paused(async {
        let took = millis(move_on_after(SECOND * 200, async {
            quiet_second().await;
            let mut inside = Box::pin(move_on_after(SECOND, sleep_forever()));
            let begun = move_on_after(SECOND * 50, async {
                assert!(
                    crate::support::poll_once(&mut inside).await.is_ready(),
                    "it waits"
                );
            });
            assert!(
                std::panic::AssertUnwindSafe(begun)
                    .catch_unwind()
                    .await
                    .is_err()
            );
            inside.await;
        }));
        assert_eq!(took.await, 2000);
    });
}
