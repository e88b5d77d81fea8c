//! Manual: docs/manual/contextmanagers.md

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyio::{
    AsyncContextManager, AsyncResource, CancelScope, Outcome, aclose_forcefully, cancel_scope,
    checkpoint, finally, move_on_after, move_on_at, shield, sleep_forever, task_group, with,
};
use futures::FutureExt as _;

const LONG: Duration = Duration::from_secs(3600);

type Log = RefCell<Vec<String>>;

fn note(log: &Log, what: impl Into<String>) {
    log.borrow_mut().push(what.into());
}

/// A resource that says what happens to it.
struct Loud<'a>(&'a std::sync::Mutex<Vec<String>>);

impl Loud<'_> {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
}

impl<'a> AsyncContextManager for Loud<'a> {
    type Resource = Self;

    async fn enter(self) -> Self {
        checkpoint().await;
        self.say("enter");
        self
    }

    async fn exit(loud: Self, outcome: Outcome) {
        checkpoint().await;
        loud.say(format!("exit {outcome:?}"));
    }
}

/// What `with!` does around `body`.
macro_rules! logged {
    (|$loud:ident| $around:expr) => {{
        let log = std::sync::Mutex::new(Vec::new());
        {
            let $loud = || Loud(&log);
            $around;
        }
        log.into_inner().unwrap()
    }};
}

// ---- finally! ----------------------------------------------------------------------------------------

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

// ---- with! -------------------------------------------------------------------------------------------

#[anyio::test]
async fn a_manager_is_entered_before_the_block_and_left_after_it() {
    let log = logged!(|loud| {
        let value = with!(inside = loud(), {
            inside.say("inside");
            checkpoint().await;
            5
        });
        assert_eq!(value, 5);
    });
    assert_eq!(log, ["enter", "inside", "exit Completed"]);
}

#[anyio::test]
async fn it_is_left_on_every_way_out_of_the_block() {
    async fn leave(how: &str, log: &std::sync::Mutex<Vec<String>>) -> Result<u32, String> {
        for _ in 0..2 {
            with!(inside = Loud(log), {
                match how {
                    "return" => return Ok(1),
                    "?" => Err("failed".to_owned())?,
                    "break" => break,
                    "continue" => continue,
                    _ => {}
                }
                inside.say("never");
            });
        }
        Ok(2)
    }
    for (how, rounds) in [("return", 1), ("?", 1), ("break", 1), ("continue", 2)] {
        let log = std::sync::Mutex::new(Vec::new());
        let ended = leave(how, &log).await;
        assert_eq!(
            log.into_inner().unwrap(),
            ["enter", "exit Completed"].repeat(rounds)
        );
        assert_eq!(ended.is_err(), how == "?");
    }
}

#[anyio::test]
async fn it_is_told_of_a_cancellation() {
    let log = logged!(|loud| {
        let ended = cancel_scope!(|scope| {
            with!(inside = loud(), {
                inside.say("inside");
                scope.cancel();
                sleep_forever().await;
            });
        });
        assert!(ended.is_err());
    });
    assert_eq!(log, ["enter", "inside", "exit Cancelled"]);
}

#[anyio::test]
async fn it_is_told_of_a_panic_which_then_goes_on() {
    let log = logged!(|loud| {
        let ended = AssertUnwindSafe(async {
            with!(_inside = loud(), { panic!("inside") });
        });
        assert!(ended.catch_unwind().await.is_err());
    });
    assert_eq!(log, ["enter", "exit Panicked"]);
}

#[anyio::test]
async fn cancelled_while_it_is_entered_there_is_nothing_to_leave() {
    let log = logged!(|loud| {
        let ended = cancel_scope!(|scope| {
            scope.cancel();
            with!(_inside = loud(), { unreachable!() });
        });
        assert!(ended.is_err());
    });
    assert!(log.is_empty(), "{log:?}");
}

#[anyio::test]
async fn a_manager_that_panics_while_it_is_entered_is_not_left() {
    struct Broken;
    impl AsyncContextManager for Broken {
        type Resource = ();

        async fn enter(self) {
            checkpoint().await;
            panic!("cannot be entered");
        }

        async fn exit((): (), _: Outcome) {
            unreachable!("it was not entered");
        }
    }
    let ended = AssertUnwindSafe(async { with!(_inside = Broken, { unreachable!() }) });
    let payload = ended.catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"cannot be entered"));
}

#[anyio::test]
async fn a_manager_that_can_fail_gives_a_result_to_the_block() {
    struct Connect(bool);
    impl AsyncContextManager for Connect {
        type Resource = Result<u32, String>;

        async fn enter(self) -> Result<u32, String> {
            if self.0 {
                Ok(5)
            } else {
                Err("refused".to_owned())
            }
        }

        async fn exit(_: Result<u32, String>, _: Outcome) {}
    }
    async fn talk(works: bool) -> Result<u32, String> {
        with!(connection = Connect(works), {
            let connection = connection.as_mut().map_err(|error| error.clone())?;
            Ok(*connection + 1)
        })
    }
    assert_eq!(talk(true).await, Ok(6));
    assert_eq!(talk(false).await, Err("refused".to_owned()));
}

#[anyio::test]
async fn leaving_is_shielded() {
    let log = logged!(|loud| {
        let ended = cancel_scope!(|scope| {
            with!(_inside = loud(), { scope.cancel() });
            checkpoint().await;
            unreachable!()
        });
        assert!(ended.is_err());
    });
    assert_eq!(log, ["enter", "exit Completed"]);
}

#[anyio::test]
async fn nested_managers_are_left_in_reverse() {
    let log = logged!(|loud| {
        with!(outer = loud(), {
            outer.say("outer");
            with!(inner = loud(), { inner.say("inner") });
            outer.say("between");
        });
    });
    assert_eq!(
        log,
        [
            "enter",
            "outer",
            "enter",
            "inner",
            "exit Completed",
            "between",
            "exit Completed"
        ]
    );
}

#[anyio::test]
async fn a_manager_may_hold_a_group_open_in_a_task_of_the_block() {
    // AnyIO's mixin is for classes that keep a task group inside; here the group is around, and borrowed from.
    struct Service<'a>(&'a std::sync::atomic::AtomicUsize);
    impl Service<'_> {
        async fn run<T>(&self, inside: impl Future<Output = T>) -> T {
            task_group!(|tg| {
                tg.spawn(async {
                    finally!({ sleep_forever().await }, {
                        checkpoint().await;
                        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    });
                });
                let value = inside.await;
                tg.finish(value);
                std::future::pending().await
            })
        }
    }
    let stopped = std::sync::atomic::AtomicUsize::new(0);
    assert_eq!(
        Service(&stopped)
            .run(async {
                checkpoint().await;
                5
            })
            .await,
        5
    );
    assert_eq!(stopped.into_inner(), 1);
}

#[anyio::test]
async fn blocks_with_clean_up_may_run_in_parallel_tasks_also_with_values_that_are_not_sync() {
    let value = task_group!(|tg| {
        tg.spawn_parallel(async {
            let cell = with!(_file = Pages(0), {
                checkpoint().await;
                std::cell::Cell::new(5)
            });
            finally!({ cell }, { checkpoint().await })
        })
        .await
    });
    assert_eq!(value.get(), 5);
}

struct Pages(u32);

impl AsyncResource for Pages {
    async fn aclose(&mut self) {
        checkpoint().await;
        self.0 += 1;
    }
}

#[anyio::test]
async fn the_name_may_be_a_pattern() {
    struct Pair;
    impl AsyncContextManager for Pair {
        type Resource = (u32, String);

        async fn enter(self) -> (u32, String) {
            (1, "a".to_owned())
        }

        async fn exit((n, text): (u32, String), _: Outcome) {
            assert_eq!((n, text.as_str()), (2, "ab"));
        }
    }
    with!((n, text) = Pair, {
        *n += 1;
        text.push('b');
    });
}

// ---- resources ---------------------------------------------------------------------------------------

/// Says goodbye, which takes forever unless it `answers`.
struct Peer<'a> {
    answers: bool,
    log: &'a std::sync::Mutex<Vec<&'static str>>,
}

impl AsyncResource for Peer<'_> {
    async fn aclose(&mut self) {
        self.log.lock().unwrap().push("goodbye");
        if !self.answers {
            sleep_forever().await;
        }
        checkpoint().await;
        self.log.lock().unwrap().push("answered");
    }
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        self.log.lock().unwrap().push("released");
    }
}

#[anyio::test]
async fn a_resource_is_closed_and_then_dropped() {
    let log = std::sync::Mutex::new(Vec::new());
    with!(
        peer = Peer {
            answers: true,
            log: &log
        },
        {
            peer.log.lock().unwrap().push("inside");
        }
    );
    assert_eq!(
        *log.lock().unwrap(),
        ["inside", "goodbye", "answered", "released"]
    );
}

#[anyio::test]
async fn a_resource_is_closed_in_a_cancelled_scope_too() {
    let log = std::sync::Mutex::new(Vec::new());
    let ended = cancel_scope!(|scope| {
        with!(
            _peer = Peer {
                answers: true,
                log: &log
            },
            {
                scope.cancel();
                sleep_forever().await;
            }
        );
    });
    assert!(ended.is_err());
    assert_eq!(*log.lock().unwrap(), ["goodbye", "answered", "released"]);
}

#[anyio::test]
async fn closed_forcefully_it_waits_for_nothing() {
    let log = std::sync::Mutex::new(Vec::new());
    let mut peer = Peer {
        answers: false,
        log: &log,
    };
    aclose_forcefully(&mut peer).await;
    drop(peer);
    assert_eq!(*log.lock().unwrap(), ["goodbye", "released"]);
}

#[anyio::test]
async fn closing_forcefully_cancels_nothing_further_out() {
    let log = std::sync::Mutex::new(Vec::new());
    let mut peer = Peer {
        answers: true,
        log: &log,
    };
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = scope.run(async {
        aclose_forcefully(&mut peer).await;
        checkpoint().await;
        5
    });
    assert_eq!(ended.await.unwrap(), 5);
    assert!(!handle.cancel_called());
}

#[anyio::test]
async fn closing_forcefully_gets_to_the_end_of_what_is_shielded() {
    struct Stubborn(u32);
    impl AsyncResource for Stubborn {
        async fn aclose(&mut self) {
            shield(checkpoint()).await;
            self.0 += 1;
            checkpoint().await;
            self.0 += 1;
        }
    }
    let mut stubborn = Stubborn(0);
    aclose_forcefully(&mut stubborn).await;
    assert_eq!(stubborn.0, 1);
}

#[anyio::test]
async fn closing_forcefully_works_in_a_clean_up_with_a_deadline() {
    let log = std::sync::Mutex::new(Vec::new());
    let ended = move_on_after!(1ms, {
        let mut peer = Peer {
            answers: false,
            log: &log,
        };
        finally!({ sleep_forever().await }, {
            if move_on_after!(1ms, { peer.aclose().await }).is_none() {
                aclose_forcefully(&mut peer).await;
            }
        });
    });
    assert!(ended.is_none());
    assert_eq!(*log.lock().unwrap(), ["goodbye", "goodbye", "released"]);
    assert_eq!(move_on_after(LONG, async { 1 }).await, Some(1));
}
