//! A thousand levels.

use anyio::{
    CancelScope, cancel_scope, checkpoint, current_effective_deadline, current_time, finally,
    move_on_after, shield, sleep_forever, task_group,
};

use crate::support::{Boxed, LONG, SHORT};

const LEVELS: usize = 1000;

/// Runs on a thread with room for a thousand polls inside each other, also unoptimized.
fn with_room(main: impl FnOnce() + Send) {
    std::thread::scope(|threads| {
        std::thread::Builder::new()
            .stack_size(256 << 20)
            .spawn_scoped(threads, main)
            .unwrap()
            .join()
            .unwrap();
    });
}

/// On each backend, all of it on the calling thread.
fn run(test: impl AsyncFn() + Sync) {
    with_room(|| {
        if cfg!(feature = "tokio") {
            anyio::run(anyio::Backend::tokio().current_thread(), test()).unwrap();
        }
        if cfg!(feature = "smol") {
            anyio::run(anyio::Backend::smol().threads(1), test()).unwrap();
        }
    });
}

/// `levels` times `wrap` around `inside`.
fn nest<'a>(
    levels: usize,
    inside: Boxed<'a, bool>,
    wrap: impl Fn(Boxed<'a, bool>) -> Boxed<'a, bool>,
) -> Boxed<'a, bool> {
    (0..levels).fold(inside, |inside, _| wrap(inside))
}

#[test]
fn of_scopes_a_cancellation_of_the_outermost_takes_all() {
    run(async || {
        let ended = cancel_scope!(|scope| {
            let inside = Box::pin(async {
                checkpoint().await;
                scope.cancel();
                checkpoint().await;
                true
            });
            nest(LEVELS, inside, |inside| {
                Box::pin(async { CancelScope::new().run(inside).await.unwrap_or(true) })
            })
            .await
        });
        assert!(ended.is_err());
    });
}

#[test]
fn of_scopes_with_handles_the_innermost_ends_alone() {
    run(async || {
        let inside: Boxed<'_, bool> = Box::pin(async {
            cancel_scope!(|scope| {
                scope.cancel();
                sleep_forever().await
            })
            .is_err()
        });
        let through = nest(LEVELS, inside, |inside| {
            Box::pin(async { cancel_scope!(|_scope| inside.await).unwrap() })
        });
        assert!(through.await);
    });
}

#[test]
fn of_time_limits_the_earliest_ends_the_wait() {
    run(async || {
        let waiting: Boxed<'_, bool> = Box::pin(async {
            sleep_forever().await;
            false
        });
        let first = nest(LEVELS / 2, waiting, |inside| {
            Box::pin(async { move_on_after(LONG, inside).await.unwrap_or(true) })
        });
        let limited: Boxed<'_, bool> =
            Box::pin(async { move_on_after(SHORT, first).await.is_none() });
        let all = nest(LEVELS / 2, limited, |inside| {
            Box::pin(async { move_on_after(LONG, inside).await.unwrap_or(false) })
        });
        assert!(all.await);
    });
}

#[test]
fn of_time_limits_the_effective_deadline_is_found() {
    run(async || {
        let near = current_time() + LONG;
        let inside: Boxed<'_, bool> =
            Box::pin(
                async move { current_effective_deadline() == anyio::EffectiveDeadline::At(near) },
            );
        let all = nest(LEVELS, inside, |inside| {
            Box::pin(async { move_on_after(LONG * 2, inside).await.unwrap() })
        });
        assert_eq!(anyio::move_on_at(near, all).await, Some(true));
    });
}

#[test]
fn of_shields_the_work_is_finished_in_a_cancelled_scope() {
    run(async || {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            let inside: Boxed<'_, bool> = Box::pin(async {
                checkpoint().await;
                true
            });
            nest(LEVELS, inside, |inside| Box::pin(shield(inside))).await
        });
        assert!(ended.unwrap());
    });
}

#[test]
fn of_clean_ups_all_run_from_the_inside_out() {
    run(async || {
        let log = std::sync::atomic::AtomicUsize::new(0);
        let log = &log;
        let ended = cancel_scope!(|scope| {
            let inside: Boxed<'_, bool> = Box::pin(async {
                checkpoint().await;
                scope.cancel();
                checkpoint().await;
                true
            });
            nest(LEVELS, inside, |inside| {
                Box::pin(async {
                    finally!({ inside.await }, {
                        log.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    })
                })
            })
            .await
        });
        assert!(ended.is_err());
        assert_eq!(log.load(std::sync::atomic::Ordering::Relaxed), LEVELS);
    });
}

#[test]
fn of_task_groups_the_outermost_cancels_all() {
    run(async || {
        let inside: Boxed<'_, bool> = Box::pin(async {
            sleep_forever().await;
            true
        });
        let groups = nest(LEVELS / 4, inside, |inside| {
            Box::pin(async { task_group!(|tg| { tg.spawn(inside).await }) })
        });
        assert!(move_on_after(SHORT, groups).await.is_none());
    });
}
