//! Groups that are dropped from outside: by a foreign `select!`, an abort, a hand-made executor.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use anyio::{
    TaskError, TaskState, TaskStatus, checkpoint, finally, shield, sleep_forever, task_group,
};
use futures::channel::oneshot;

use super::support::{CountingWaker, Log, settle, when_dropped};

/// Polls `future` with a waker that nobody hears.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_group_dropped_before_its_first_poll_has_done_nothing() {
    let log = Log::default();
    let group = async {
        let _guard = log.when_dropped("outside");
        task_group!(|tg| {
            log.note("never");
            tg.spawn(async { log.note("never") });
        });
    };
    drop(group);
    assert_eq!(log.entries(), [""; 0]);
}

#[test]
fn a_group_dropped_half_way_drops_its_members_before_what_they_borrow() {
    let log = Log::default();
    {
        let mut group = pin!(async {
            let _borrowed = log.when_dropped("what was declared before the group");
            let guard = || log.when_dropped("child");
            task_group!(|tg| {
                for _ in 0..2 {
                    tg.spawn(async {
                        let _guard = guard();
                        sleep_forever().await;
                    });
                }
                let _guard = log.when_dropped("body");
                sleep_forever().await
            });
        });
        assert!(poll_once(group.as_mut()).is_pending());
        assert!(poll_once(group.as_mut()).is_pending());
    }
    assert_eq!(
        log.entries(),
        [
            "body",
            "child",
            "child",
            "what was declared before the group"
        ]
    );
}

#[test]
fn children_that_were_spawned_and_never_polled_are_dropped() {
    const CHILDREN: u32 = 10_000;
    let (started, dropped) = (AtomicU32::new(0), AtomicU32::new(0));
    let guard = || {
        when_dropped(|| {
            dropped.fetch_add(1, Ordering::Relaxed);
        })
    };
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                for _ in 0..CHILDREN {
                    let guard = guard();
                    tg.spawn(async {
                        let _guard = guard;
                        started.fetch_add(1, Ordering::Relaxed);
                        sleep_forever().await;
                    });
                }
            });
        });
        // One poll of a group polls so many members and no more.
        assert!(poll_once(group.as_mut()).is_pending());
        assert!((1..CHILDREN).contains(&started.load(Ordering::Relaxed)));
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
    }
    assert!(started.into_inner() < CHILDREN);
    assert_eq!(dropped.into_inner(), CHILDREN);
}

#[anyio::test]
async fn a_foreign_select_drops_the_group_it_does_not_take() {
    let log = Log::default();
    let taken = tokio::select! {
        () = async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _guard = log.when_dropped("child dropped");
                    sleep_forever().await;
                });
            })
        } => "the group",
        () = settle() => "the other",
    };
    assert_eq!(taken, "the other");
    assert_eq!(log.entries(), ["child dropped"]);
}

#[anyio::test]
async fn the_select_of_futures_gives_the_group_back_and_it_goes_on() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    let group = pin!(async {
        task_group!(|tg| {
            tg.spawn(async {
                released.await.unwrap();
                log.note("child");
            });
        });
    });
    let futures::future::Either::Right(((), group)) =
        futures::future::select(group, pin!(settle())).await
    else {
        panic!("the group waits");
    };
    release.send(()).unwrap();
    group.await;
    assert_eq!(log.entries(), ["child"]);
}

#[cfg(feature = "tokio")]
#[anyio::test(backends = [tokio, tokio(flavor = "current_thread")])]
async fn an_aborted_task_drops_its_group() {
    let dropped = Arc::new(AtomicU32::new(0));
    let (ready, is_ready) = oneshot::channel();
    let task = tokio::spawn({
        let dropped = Arc::clone(&dropped);
        async move {
            let guard = || {
                when_dropped(|| {
                    dropped.fetch_add(1, Ordering::Relaxed);
                })
            };
            task_group!(|tg| {
                for _ in 0..3 {
                    tg.spawn(async {
                        let _guard = guard();
                        sleep_forever().await;
                    });
                }
                settle().await;
                ready.send(()).unwrap();
            });
        }
    });
    is_ready.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn parallel_children_of_a_dropped_group_are_cancelled_and_polled_to_their_end_before_run_returns() {
    for backend in anyio::available_backends() {
        let cleaned_up = Arc::new(AtomicU32::new(0));
        let ran = anyio::run(backend.parse::<anyio::Backend>().unwrap(), async {
            let (ready, mut is_ready) = futures::channel::mpsc::unbounded();
            let group = async {
                task_group!(|tg| {
                    for _ in 0..3 {
                        let ready = ready.clone();
                        let cleaned_up = Arc::clone(&cleaned_up);
                        tg.spawn_parallel(async move {
                            finally!(
                                {
                                    ready.unbounded_send(()).unwrap();
                                    sleep_forever().await;
                                },
                                {
                                    settle().await;
                                    cleaned_up.fetch_add(1, Ordering::SeqCst);
                                }
                            );
                        });
                    }
                    sleep_forever().await
                });
            };
            let all_ready = async {
                for _ in 0..3 {
                    futures::StreamExt::next(&mut is_ready).await.unwrap();
                }
            };
            futures::future::select(pin!(group), pin!(all_ready)).await;
        });
        ran.unwrap();
        assert_eq!(cleaned_up.load(Ordering::SeqCst), 3, "on {backend}");
    }
}

#[anyio::test]
async fn a_parallel_child_that_was_not_polled_yet_when_its_group_is_dropped_runs_to_a_suspension() {
    let (tell, told) = oneshot::channel();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn_parallel(async move {
                    tell.send("started").unwrap();
                    sleep_forever().await;
                });
                sleep_forever().await
            });
        });
        assert!(futures::poll!(group.as_mut()).is_pending());
    }
    assert_eq!(told.await, Ok("started"));
}

#[anyio::test]
async fn values_and_errors_of_parallel_children_that_outlive_their_group_are_dropped() {
    let counted = Arc::new(());
    let (release, released) = async_channel::bounded::<()>(1);
    let (ended, mut has_ended) = futures::channel::mpsc::unbounded::<()>();
    {
        let mut group = pin!(async {
            task_group!(|tg| -> Result<(), Arc<()>> {
                for fails in [false, true] {
                    let (counted, released, ended) =
                        (Arc::clone(&counted), released.clone(), ended.clone());
                    tg.spawn_parallel(async move {
                        let _ended = ended;
                        shield!({
                            released.recv().await.unwrap_err();
                        });
                        if fails { Err(counted) } else { Ok(counted) }
                    });
                }
                std::future::pending().await
            })
        });
        for _ in 0..3 {
            assert!(futures::poll!(group.as_mut()).is_pending());
        }
    }
    drop((release, ended));
    // The senders go with the futures, and what those left right after.
    assert!(futures::StreamExt::next(&mut has_ended).await.is_none());
    while Arc::strong_count(&counted) > 1 {
        checkpoint().await;
    }
}

#[test]
fn a_destructor_of_a_body_that_spawns_into_the_dying_group_gets_a_cancelled_child() {
    let log = &Log::default();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                let guard = log.when_dropped("the future was dropped");
                let _spawns = when_dropped(|| {
                    let child = tg.spawn(async move {
                        let _guard = guard;
                        log.note("never");
                    });
                    log.note(format!("{:?}", child.status()));
                });
                sleep_forever().await
            });
        });
        assert!(poll_once(group.as_mut()).is_pending());
    }
    // The group is still open when its body goes, and never polled again.
    assert_eq!(log.entries(), ["Pending", "the future was dropped"]);
}

#[test]
fn a_destructor_of_a_child_that_spawns_into_a_closed_group_is_refused() {
    let log = &Log::default();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                let guard = log.when_dropped("the future was dropped");
                tg.spawn(async {
                    let _spawns = when_dropped(|| {
                        let child = tg.spawn(async move {
                            let _guard = guard;
                            log.note("never");
                        });
                        assert_eq!(child.value(), Err(TaskError::Cancelled));
                        assert_eq!(child.status(), TaskState::Cancelled);
                        log.note("refused");
                    });
                    sleep_forever().await
                });
            });
        });
        assert!(poll_once(group.as_mut()).is_pending());
    }
    assert_eq!(log.entries(), ["the future was dropped", "refused"]);
}

#[anyio::test]
async fn a_destructor_that_spawns_a_parallel_child_into_a_closed_group_cancels_it() {
    let (tell, told) = oneshot::channel();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _spawns = when_dropped(|| {
                        tg.spawn_parallel(async move {
                            let caught = anyio::catch_cancelled(sleep_forever()).await;
                            tell.send(caught.is_err()).unwrap();
                        });
                    });
                    sleep_forever().await
                });
            });
        });
        assert!(futures::poll!(group.as_mut()).is_pending());
    }
    assert_eq!(told.await, Ok(true));
}

#[test]
fn a_waiter_outside_the_child_is_not_left_hanging_by_a_drop() {
    // A sibling of the dying child that holds its handle is dropped as well; what is checked is that the
    // queue of waiters does not outlive either.
    let (wakes, waker) = CountingWaker::new();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                let child = tg.spawn(sleep_forever());
                tg.spawn(async move { child.wait().await });
            });
        });
        let mut cx = Context::from_waker(&waker);
        for _ in 0..3 {
            assert!(group.as_mut().poll(&mut cx).is_pending());
        }
    }
    let wakes_before = wakes.wakes();
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "no waker is kept");
    assert_eq!(wakes.wakes(), wakes_before);
}

#[test]
fn a_child_in_start_is_dropped_with_the_group() {
    let log = Log::default();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _ = tg
                        .start(|_status: TaskStatus| async {
                            let _guard = log.when_dropped("in start");
                            sleep_forever().await
                        })
                        .await;
                });
                tg.start(|status: TaskStatus| async {
                    let _guard = log.when_dropped("started");
                    status.started(());
                    sleep_forever().await
                })
                .await
                .unwrap();
                sleep_forever().await
            });
        });
        for _ in 0..4 {
            assert!(poll_once(group.as_mut()).is_pending());
        }
    }
    let mut entries = log.entries();
    entries.sort();
    assert_eq!(entries, ["in start", "started"]);
}

#[anyio::test]
async fn a_group_that_is_leaked_while_pending_frees_nothing_that_is_borrowed() {
    // Sound because the memory of the children is never reused; here we only see that nothing is touched.
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let mut group = Box::pin(async move {
        task_group!(|tg| {
            tg.spawn(async {
                let _guard = when_dropped(|| flag.store(true, Ordering::Relaxed));
                sleep_forever().await;
            });
        });
    });
    assert!(futures::poll!(group.as_mut()).is_pending());
    #[allow(clippy::mem_forget)] // what this is about
    std::mem::forget(group);
    settle().await;
    assert!(!dropped.load(Ordering::Relaxed));
}

#[anyio::test]
async fn a_group_can_be_dropped_by_a_member_of_another_group_in_the_middle_of_a_poll() {
    let log = Log::default();
    let slot = std::sync::Mutex::new(None);
    {
        let inner = async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _guard = log.when_dropped("inner child");
                    sleep_forever().await;
                });
            });
        };
        // The inner group is owned by a place that a child of the outer one empties.
        *slot.lock().unwrap() = Some(Box::pin(inner));
        task_group!(|tg| {
            tg.spawn(async {
                {
                    let mut slot = slot.lock().unwrap();
                    let group = slot.as_mut().unwrap();
                    assert!(poll_once(group.as_mut()).is_pending());
                    *slot = None;
                }
                log.note("dropped it");
            });
        });
    }
    assert_eq!(log.entries(), ["inner child", "dropped it"]);
}
