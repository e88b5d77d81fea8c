//! Panics: of children, bodies and destructors.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use anyio::{
    TaskError, TaskState, cancel_scope, catch_cancelled, checkpoint, finally, shield,
    sleep_forever, task_group,
};

use super::support::{Log, panic_of, settle, text, when_dropped};

#[anyio::test]
async fn a_panic_of_a_child_goes_on_at_the_end_of_the_group() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                checkpoint().await;
                panic!("the child");
            });
            log.note("the body goes on until it suspends");
            sleep_forever().await;
            log.note("never");
        });
        log.note("never");
    })
    .await;
    assert_eq!(text, "the child");
    assert_eq!(log.entries(), ["the body goes on until it suspends"]);
}

#[anyio::test]
async fn siblings_get_their_clean_up_before_the_panic_goes_on() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    settle().await;
                    log.note("cleaned up");
                });
            });
            tg.spawn(async {
                shield!({
                    settle().await;
                    log.note("shield done");
                });
            });
            settle().await;
            panic!("the body");
        })
    })
    .await;
    log.note(text);
    let mut entries = log.entries();
    assert_eq!(entries.pop().as_deref(), Some("the body"));
    entries.sort();
    assert_eq!(entries, ["cleaned up", "shield done"]);
}

#[anyio::test]
async fn a_body_that_panics_before_it_spawns_ends_the_group() {
    let text = panic_of(async { task_group!(|_tg| panic!("at once")) }).await;
    assert_eq!(text, "at once");
}

#[anyio::test]
async fn a_body_that_panics_after_spawning_lets_the_children_run_once() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                log.note("started");
                checkpoint().await;
                log.note("never");
            });
            panic!("the body");
        })
    })
    .await;
    assert_eq!(text, "the body");
    assert_eq!(log.entries(), ["started"]);
}

#[anyio::test]
async fn a_panic_goes_before_errors_and_values() {
    fn panicking() -> Result<(), &'static str> {
        panic!("the child")
    }

    let text = panic_of(async {
        task_group!(|tg| -> Result<(), &'static str> {
            tg.spawn(async {
                let _ = catch_cancelled(sleep_forever()).await;
                panicking()
            });
            settle().await;
            tg.finish(());
            Err("the body")
        })
    })
    .await;
    assert_eq!(text, "the child");
}

#[anyio::test]
async fn a_panic_goes_before_a_cancellation_from_further_out() {
    let text = panic_of(async {
        cancel_scope!(|scope| {
            task_group!(|tg| {
                tg.spawn(async {
                    let _ = catch_cancelled(sleep_forever()).await;
                    panic!("while cancelled");
                });
                settle().await;
                scope.cancel();
                sleep_forever().await
            })
        })
    })
    .await;
    assert_eq!(text, "while cancelled");
}

#[anyio::test]
async fn the_payload_comes_through_as_it_was() {
    struct Payload(u32);

    let caught = futures::FutureExt::catch_unwind(AssertUnwindSafe(async {
        task_group!(|outer| {
            outer.spawn(async {
                task_group!(|inner| {
                    inner.spawn(async { resume_unwind(Box::new(Payload(7))) });
                });
            });
        });
    }))
    .await;
    let payload = caught.unwrap_err().downcast::<Payload>();
    assert_eq!(payload.map(|payload| payload.0).ok(), Some(7));
}

#[anyio::test]
async fn the_first_panic_is_the_one_that_goes_on() {
    let text = panic_of(async {
        task_group!(|tg| {
            for n in 0..3 {
                tg.spawn(async move {
                    shield!({
                        for _ in 0..5 * (3 - n) {
                            checkpoint().await;
                        }
                    });
                    panic!("child {n}");
                });
            }
        });
    })
    .await;
    assert_eq!(text, "child 2");
}

#[anyio::test]
async fn a_handle_tells_of_a_panic() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            let child = tg.spawn(async { panic!("the child") });
            shield!({
                child.wait().await;
                log.note(format!("{:?}", child.status()));
                assert_eq!(child.status(), TaskState::Panicked);
                let error = child.join().await.unwrap_err();
                assert_eq!(error, TaskError::Panicked);
                log.note(error.to_string());
            });
        });
    })
    .await;
    assert_eq!(text, "the child");
    assert_eq!(log.entries(), ["Panicked", "the task panicked"]);
}

#[anyio::test]
async fn a_destructor_that_panics_counts_as_a_panic_of_the_child() {
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                let _guard = when_dropped(|| panic!("the destructor"));
                checkpoint().await;
            });
            sleep_forever().await
        });
    })
    .await;
    assert_eq!(text, "the destructor");
}

#[anyio::test]
async fn a_future_that_panics_when_it_is_dropped_takes_its_value_with_it() {
    struct Ready(bool);
    impl Future for Ready {
        type Output = super::support::WhenDropped<Box<dyn FnOnce() + Send>>;
        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> std::task::Poll<Self::Output> {
            std::task::Poll::Ready(when_dropped(Box::new(|| {
                VALUE_DROPPED.store(true, Ordering::Relaxed);
            })))
        }
    }
    impl Drop for Ready {
        fn drop(&mut self) {
            assert!(!self.0, "the destructor");
        }
    }
    static VALUE_DROPPED: AtomicBool = AtomicBool::new(false);

    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(Ready(true));
        });
    })
    .await;
    assert_eq!(text, "the destructor");
    assert!(VALUE_DROPPED.load(Ordering::Relaxed));
}

#[anyio::test]
async fn a_destructor_that_panics_while_its_child_is_cancelled_cancels_nobody_twice() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                let _guard = when_dropped(|| panic!("the destructor"));
                sleep_forever().await;
            });
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    settle().await;
                    log.note("cleaned up");
                });
            });
            settle().await;
            tg.cancel();
        });
    })
    .await;
    assert_eq!(text, "the destructor");
    assert_eq!(log.entries(), ["cleaned up"]);
}

#[anyio::test]
async fn a_local_of_the_body_that_panics_when_it_is_dropped_is_heard() {
    let text = panic_of(async {
        task_group!(|tg| {
            let _guard = when_dropped(|| panic!("the local"));
            tg.cancel();
            sleep_forever().await
        });
    })
    .await;
    assert_eq!(text, "the local");
}

#[anyio::test]
async fn a_panic_of_a_parallel_child_goes_on_at_the_end_of_the_group() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    settle().await;
                    log.note("cleaned up");
                });
            });
            settle().await;
            let child = tg.spawn_parallel(async { panic!("the parallel child") });
            shield!({
                child.wait().await;
                log.note(format!("{:?}", child.status()));
            });
        });
    })
    .await;
    assert_eq!(text, "the parallel child");
    let mut entries = log.entries();
    entries.sort();
    assert_eq!(entries, ["Panicked", "cleaned up"]);
}

#[anyio::test]
async fn a_destructor_of_a_parallel_child_that_panics_is_heard() {
    let text = panic_of(async {
        task_group!(|tg| {
            tg.spawn_parallel(async {
                let _guard = when_dropped(|| panic!("the destructor"));
                checkpoint().await;
            });
            sleep_forever().await
        });
    })
    .await;
    assert_eq!(text, "the destructor");
}

/// The shield that is gone must not be taken for one that still holds.
#[anyio::test(timeout = 10s)]
async fn a_panic_in_the_first_poll_of_a_shield_holds_nothing_off() {
    let caught = AtomicBool::new(false);
    task_group!(|tg| {
        tg.spawn(async {
            let shielded = AssertUnwindSafe(async {
                shield!({
                    // Links the shield to the regions around it.
                    let _ = futures::poll!(pin!(catch_cancelled(sleep_forever())));
                    panic!("in the shield");
                })
            });
            let ended = futures::FutureExt::catch_unwind(shielded).await;
            caught.store(ended.is_err(), Ordering::Relaxed);
            sleep_forever().await
        });
        settle().await;
        tg.cancel();
    });
    assert!(caught.into_inner());
}

#[anyio::test]
async fn a_panic_in_a_nested_group_cancels_each_level_in_turn() {
    let log = Log::default();
    let text = panic_of(async {
        task_group!(|outer| {
            outer.spawn(async {
                finally!({ sleep_forever().await }, { log.note("outer sibling") });
            });
            outer.spawn(async {
                task_group!(|inner| {
                    inner.spawn(async {
                        finally!({ sleep_forever().await }, { log.note("inner sibling") });
                    });
                    settle().await;
                    inner.spawn(async { panic!("the grandchild") });
                });
            });
        });
    })
    .await;
    assert_eq!(text, "the grandchild");
    assert_eq!(log.entries(), ["inner sibling", "outer sibling"]);
}

/// Polls `future` some times, then drops it, and gives the text of the panic of its destructor.
fn panic_of_drop(future: impl Future, polls: usize) -> Option<String> {
    let mut future = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    let dropped = catch_unwind(AssertUnwindSafe(move || drop(future)));
    dropped.err().map(|payload| text(&*payload))
}

#[test]
fn a_panic_while_the_group_is_dropped_goes_on_once_all_others_are_gone() {
    let log = Log::default();
    let text = panic_of_drop(
        async {
            task_group!(|tg| {
                for n in 0..3 {
                    let guard = log.when_dropped("child dropped");
                    tg.spawn(async move {
                        let _guard = guard;
                        let _panics = when_dropped(move || {
                            if n == 1 {
                                panic!("destructor {n}");
                            }
                        });
                        sleep_forever().await
                    });
                }
                let _guard = log.when_dropped("body dropped");
                sleep_forever().await
            });
        },
        3,
    );
    assert_eq!(text.as_deref(), Some("destructor 1"));
    let mut entries = log.entries();
    entries.sort();
    assert_eq!(
        entries,
        [
            "body dropped",
            "child dropped",
            "child dropped",
            "child dropped"
        ]
    );
}

#[test]
fn of_several_panics_while_the_group_is_dropped_the_first_goes_on() {
    let text = panic_of_drop(
        async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _panics = when_dropped(|| panic!("the child"));
                    sleep_forever().await
                });
                let _panics = when_dropped(|| panic!("the body"));
                sleep_forever().await
            });
        },
        3,
    );
    assert_eq!(text.as_deref(), Some("the body"));
}

#[test]
fn a_group_dropped_by_a_panic_swallows_further_ones_instead_of_aborting() {
    let log = Log::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut group = pin!(async {
            task_group!(|tg| {
                tg.spawn(async {
                    let _guard = log.when_dropped("child dropped");
                    let _panics = when_dropped(|| panic!("a second panic"));
                    sleep_forever().await
                });
            });
        });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(group.as_mut().poll(&mut cx).is_pending());
        panic!("the first panic");
    }));
    assert_eq!(text(&*caught.unwrap_err()), "the first panic");
    assert_eq!(log.entries(), ["child dropped"]);
}

#[anyio::test]
async fn a_panicking_value_that_nobody_asks_for_does_not_hurt_the_group() {
    let reached = AtomicBool::new(false);
    task_group!(|tg| {
        tg.spawn(async {
            when_dropped(|| {
                reached.store(true, Ordering::Relaxed);
                panic!("a value nobody wants");
            })
        });
    });
    assert!(reached.into_inner());
}
