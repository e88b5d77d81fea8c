//! `finally!`.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use anyio::{
    cancel_scope, checkpoint, finally, move_on_after, move_on_at, sleep_forever, task_group,
};
use futures::FutureExt as _;

type Log = RefCell<Vec<String>>;

fn note(log: &Log, what: impl Into<String>) {
    log.borrow_mut().push(what.into());
}

#[anyio::test]
async fn the_clean_up_runs_after_the_value_and_the_value_is_given() {
    let log = Log::default();
    let value = finally!(
        {
            checkpoint().await;
            note(&log, "body");
            5
        },
        {
            checkpoint().await;
            note(&log, "clean-up");
        }
    );
    assert_eq!(value, 5);
    assert_eq!(*log.borrow(), ["body", "clean-up"]);
}

#[anyio::test]
async fn the_clean_up_runs_on_every_way_out_of_the_body() {
    async fn leave(how: &str, log: &Log) -> Result<&'static str, std::num::ParseIntError> {
        'outer: for round in 0..2 {
            for _ in 0..2 {
                finally!(
                    {
                        checkpoint().await;
                        match how {
                            "return" => return Ok("returned"),
                            "?" => {
                                "x".parse::<u32>()?;
                            }
                            "break" => break,
                            "continue" => continue,
                            "break 'outer" => break 'outer,
                            "continue 'outer" => continue 'outer,
                            _ => {}
                        }
                        note(log, "end of the body");
                    },
                    {
                        checkpoint().await;
                        note(log, format!("clean-up {round}"));
                    }
                );
                note(log, "after");
            }
        }
        Ok("ended")
    }
    for (how, expected) in [
        ("return", vec!["clean-up 0"]),
        ("?", vec!["clean-up 0"]),
        ("break", vec!["clean-up 0", "clean-up 1"]),
        (
            "continue",
            vec!["clean-up 0", "clean-up 0", "clean-up 1", "clean-up 1"],
        ),
        ("break 'outer", vec!["clean-up 0"]),
        ("continue 'outer", vec!["clean-up 0", "clean-up 1"]),
    ] {
        let log = Log::default();
        let ended = leave(how, &log).await;
        assert_eq!(*log.borrow(), expected, "{how}");
        match how {
            "return" => assert_eq!(ended, Ok("returned")),
            "?" => assert!(ended.is_err()),
            _ => assert_eq!(ended, Ok("ended")),
        }
    }
}

#[anyio::test]
async fn the_clean_up_runs_after_a_cancellation_which_then_goes_on() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        finally!(
            {
                scope.cancel();
                checkpoint().await;
                note(&log, "never");
            },
            {
                checkpoint().await;
                note(&log, "clean-up");
            }
        );
        note(&log, "never");
    });
    assert!(ended.is_err());
    assert_eq!(*log.borrow(), ["clean-up"]);
}

#[anyio::test]
async fn the_clean_up_runs_after_a_deadline() {
    let log = Log::default();
    let ended = move_on_after!(1ms, {
        finally!({ sleep_forever().await }, {
            checkpoint().await;
            note(&log, "clean-up");
        });
        note(&log, "never");
    });
    assert!(ended.is_none());
    assert_eq!(*log.borrow(), ["clean-up"]);
}

#[anyio::test]
async fn the_clean_up_runs_after_a_panic_which_then_goes_on() {
    let log = Log::default();
    let ended = AssertUnwindSafe(async {
        finally!(
            {
                checkpoint().await;
                if log.borrow().is_empty() {
                    panic!("in the body");
                }
            },
            {
                checkpoint().await;
                note(&log, "clean-up");
            }
        );
        note(&log, "never");
    });
    let payload = ended.catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in the body"));
    assert_eq!(*log.borrow(), ["clean-up"]);
}

#[anyio::test]
async fn a_panic_in_the_clean_up_goes_on() {
    let ended = AssertUnwindSafe(async {
        finally!({ checkpoint().await }, {
            checkpoint().await;
            panic!("in the clean-up");
        });
    });
    let payload = ended.catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in the clean-up"));
}

#[anyio::test]
async fn a_panic_in_the_clean_up_after_one_in_the_body_takes_its_place() {
    let ended = AssertUnwindSafe(async {
        finally!({ panic!("in the body") }, { panic!("in the clean-up") });
    });
    let payload = ended.catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in the clean-up"));
}

#[anyio::test]
async fn a_panic_in_the_clean_up_after_a_cancellation_goes_on() {
    let ended = AssertUnwindSafe(async {
        cancel_scope!(|scope| {
            scope.cancel();
            finally!({ sleep_forever().await }, { panic!("in the clean-up") });
        })
    });
    let payload = ended.catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in the clean-up"));
    checkpoint().await;
}

#[anyio::test]
async fn nested_clean_ups_run_from_the_inside_out() {
    let log = Log::default();
    let ended = move_on_after!(1ms, {
        finally!(
            {
                finally!(
                    {
                        finally!({ sleep_forever().await }, {
                            checkpoint().await;
                            note(&log, "inner");
                        });
                        note(&log, "never");
                    },
                    {
                        checkpoint().await;
                        note(&log, "middle");
                    }
                );
            },
            {
                checkpoint().await;
                note(&log, "outer");
            }
        );
    });
    assert!(ended.is_none());
    assert_eq!(*log.borrow(), ["inner", "middle", "outer"]);
}

#[anyio::test]
async fn a_clean_up_may_hold_another_finally() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        finally!({ sleep_forever().await }, {
            finally!(
                {
                    checkpoint().await;
                    note(&log, "first part");
                },
                {
                    note(&log, "second part");
                }
            );
        });
    });
    assert!(ended.is_err());
    assert_eq!(*log.borrow(), ["first part", "second part"]);
}

#[anyio::test]
async fn the_clean_up_is_shielded_from_cancellations_that_come_during_it() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        finally!({ checkpoint().await }, {
            scope.cancel();
            for n in 0..3 {
                checkpoint().await;
                note(&log, n.to_string());
            }
        });
        note(&log, "right after");
        checkpoint().await;
        note(&log, "never");
    });
    assert!(ended.is_err());
    assert_eq!(*log.borrow(), ["0", "1", "2", "right after"]);
}

#[anyio::test]
async fn the_body_is_not_shielded() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        finally!({ sleep_forever().await }, {});
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_clean_up_may_have_a_time_limit_of_its_own() {
    let log = Log::default();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        finally!({ sleep_forever().await }, {
            if move_on_after!(1ms, { sleep_forever().await }).is_none() {
                note(&log, "the clean-up hung");
            }
            checkpoint().await;
            note(&log, "and ended");
        });
    });
    assert!(ended.is_err());
    assert_eq!(*log.borrow(), ["the clean-up hung", "and ended"]);
}

#[anyio::test]
async fn a_clean_up_may_open_a_task_group() {
    let mut closed = Vec::new();
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        finally!({ sleep_forever().await }, {
            closed = anyio::amap(0..3, async |n| {
                checkpoint().await;
                n
            })
            .await;
        });
    });
    assert!(ended.is_err());
    assert_eq!(closed, [0, 1, 2]);
}

#[anyio::test]
async fn body_and_clean_up_borrow_the_same_variable() {
    let mut log = Vec::new();
    let sum = finally!(
        {
            log.push(1);
            checkpoint().await;
            log.push(2);
            log.iter().sum::<i32>()
        },
        {
            log.push(3);
            checkpoint().await;
            log.push(4);
        }
    );
    assert_eq!(sum, 3);
    assert_eq!(log, [1, 2, 3, 4]);
}

#[anyio::test]
async fn what_the_body_holds_is_dropped_before_the_clean_up() {
    struct Guard<'a>(&'a Log);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            note(self.0, "dropped");
        }
    }
    let log = Log::default();
    let ended = move_on_at!(anyio::current_time(), {
        finally!(
            {
                let _guard = Guard(&log);
                sleep_forever().await;
            },
            { note(&log, "clean-up") }
        );
    });
    assert!(ended.is_none());
    assert_eq!(*log.borrow(), ["dropped", "clean-up"]);
}

#[anyio::test]
async fn dropped_from_outside_the_clean_up_does_not_run() {
    let log = Log::default();
    {
        let work = async {
            finally!({ sleep_forever().await }, { note(&log, "clean-up") });
        };
        tokio::select! {
            () = work => {}
            () = checkpoint() => note(&log, "the other branch"),
        }
    }
    assert_eq!(*log.borrow(), ["the other branch"]);
}

#[anyio::test]
async fn each_task_of_a_cancelled_group_cleans_up() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let count = &count;
    task_group!(|tg| {
        for n in 0..5 {
            tg.spawn(async move {
                finally!({ sleep_forever().await }, {
                    for _ in 0..n {
                        checkpoint().await;
                    }
                    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                });
            });
        }
        checkpoint().await;
        tg.cancel();
    });
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 5);
}

#[anyio::test]
async fn after_a_panic_in_a_sibling_the_clean_up_is_finished_first() {
    let log = std::sync::Mutex::new(Vec::new());
    let ended = AssertUnwindSafe(async {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    checkpoint().await;
                    log.lock().unwrap().push("cleaned up");
                });
            });
            tg.spawn(async {
                checkpoint().await;
                panic!("a sibling");
            });
        });
    });
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!(*log.lock().unwrap(), ["cleaned up"]);
}
