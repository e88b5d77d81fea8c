//! `with!` and `AsyncContextManager`.

use std::panic::AssertUnwindSafe;

use anyio::{
    AsyncContextManager, AsyncResource, Outcome, cancel_scope, checkpoint, finally, sleep_forever,
    task_group, with,
};
use futures::FutureExt as _;

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
