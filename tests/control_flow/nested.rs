//! Macros inside macros: what leaves the inner one leaves the outer one too, as far as its target is.

use std::cell::RefCell;
use std::time::Duration;

use anyio::{
    AsyncContextManager, Outcome, checkpoint, fail_after, finally, move_on_after, shield,
    sleep_forever, task_group, with,
};

const LONG: Duration = Duration::from_secs(3600);

type Log = RefCell<Vec<&'static str>>;

struct Noted<'a>(&'a std::sync::Mutex<Vec<&'static str>>);

impl AsyncContextManager for Noted<'_> {
    type Resource = Self;

    async fn enter(self) -> Self {
        self.0.lock().unwrap().push("enter");
        self
    }

    async fn exit(noted: Self, _: Outcome) {
        checkpoint().await;
        noted.0.lock().unwrap().push("exit");
    }
}

#[anyio::test]
async fn return_and_question_mark_leave_all_of_them_and_each_cleans_up() {
    async fn work(how: u32, log: &Log) -> Result<&'static str, String> {
        let value = move_on_after!(LONG, {
            finally!(
                {
                    fail_after!(LONG, {
                        finally!(
                            {
                                shield!({
                                    checkpoint().await;
                                    match how {
                                        0 => return Ok("returned"),
                                        1 => Err("failed")?,
                                        _ => {}
                                    }
                                    "value"
                                })
                            },
                            {
                                checkpoint().await;
                                log.borrow_mut().push("inner");
                            }
                        )
                    })
                },
                {
                    checkpoint().await;
                    log.borrow_mut().push("outer");
                }
            )
        });
        log.borrow_mut().push("after");
        Ok(value.unwrap().unwrap())
    }
    for (how, ended, said) in [
        (0, Ok("returned"), vec!["inner", "outer"]),
        (1, Err("failed".to_owned()), vec!["inner", "outer"]),
        (2, Ok("value"), vec!["inner", "outer", "after"]),
    ] {
        let log = Log::default();
        assert_eq!(work(how, &log).await, ended);
        assert_eq!(*log.borrow(), said);
    }
}

#[anyio::test]
async fn break_and_continue_leave_those_inside_the_loop_only() {
    let log = std::sync::Mutex::new(Vec::new());
    with!(_outer = Noted(&log), {
        for n in 0..3 {
            with!(_inner = Noted(&log), {
                move_on_after!(LONG, {
                    checkpoint().await;
                    match n {
                        0 => continue,
                        1 => break,
                        _ => unreachable!(),
                    }
                });
            });
        }
        log.lock().unwrap().push("after the loop");
    });
    let log = log.into_inner().unwrap();
    assert_eq!(
        log,
        [
            "enter",
            "enter",
            "exit",
            "enter",
            "exit",
            "after the loop",
            "exit"
        ]
    );
}

#[anyio::test]
async fn labels_reach_through_several() {
    let mut rounds = Vec::new();
    let value = 'found: loop {
        'outer: for n in 0..10 {
            shield!({
                for m in 0..10 {
                    move_on_after!(LONG, {
                        checkpoint().await;
                        if m > n {
                            continue 'outer;
                        }
                        if n == 2 {
                            finally!({ break 'found n * 10 + m }, { rounds.push(99) });
                        }
                        rounds.push(n * 10 + m);
                    });
                }
            });
        }
    };
    assert_eq!(value, 20);
    assert_eq!(rounds, [0, 10, 11, 99]);
}

#[anyio::test]
async fn inside_a_group_they_leave_its_body_and_not_the_function() {
    async fn work(n: u32) -> (Result<u32, anyio::ErrorGroup<String>>, &'static str) {
        let ended = task_group!(|tg| -> Result<u32, String> {
            tg.spawn(async { Ok(()) });
            move_on_after!(LONG, {
                shield!({
                    if n == 0 {
                        return Err("zero".to_owned());
                    }
                    n.checked_sub(2).ok_or_else(|| "one".to_owned())?;
                    if n == 2 {
                        return Ok(20);
                    }
                });
            });
            Ok(n)
        });
        (ended, "after the group")
    }
    assert_eq!(work(0).await.0.unwrap_err().into_first(), "zero");
    assert_eq!(work(1).await.0.unwrap_err().into_first(), "one");
    assert_eq!(work(2).await.0.unwrap(), 20);
    assert_eq!(work(3).await.0.unwrap(), 3);
    assert_eq!(work(3).await.1, "after the group");
}

#[anyio::test]
async fn around_a_group_they_leave_the_function_once_it_is_over() {
    async fn work(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        let n = fail_after!(LONG, {
            let n = task_group!(|tg| -> Result<u32, std::num::ParseIntError> {
                tg.spawn(async {
                    checkpoint().await;
                    text.parse::<u32>()
                })
                .join()
                .await
                .map_or(Ok(0), Ok)
            })?;
            if n == 7 {
                return Ok(700);
            }
            n
        })?;
        Ok(n)
    }
    assert_eq!(work("5").await.unwrap(), 5);
    assert_eq!(work("7").await.unwrap(), 700);
    assert!(
        work("x")
            .await
            .unwrap_err()
            .to_string()
            .contains("invalid digit")
    );
}

#[anyio::test]
async fn in_the_task_of_a_group_they_leave_the_task() {
    let values = task_group!(|tg| {
        let early = tg.spawn(async {
            shield!({
                checkpoint().await;
                return 1;
            });
            #[allow(unreachable_code)]
            {
                2
            }
        });
        let late = tg.spawn(async {
            let value = shield!({
                checkpoint().await;
                3
            });
            value
        });
        (early.await, late.await)
    });
    assert_eq!(values, (1, 3));
}

#[anyio::test]
async fn a_cancellation_takes_its_way_through_them_like_any_other_end() {
    let log = Log::default();
    let ended = move_on_after!(1ms, {
        for _ in 0..3 {
            finally!(
                {
                    let inner = fail_after!(LONG, {
                        finally!({ sleep_forever().await }, {
                            log.borrow_mut().push("inner")
                        });
                        continue;
                    });
                    let _: Result<(), _> = inner;
                },
                {
                    checkpoint().await;
                    log.borrow_mut().push("outer");
                }
            );
        }
    });
    assert!(ended.is_none());
    assert_eq!(*log.borrow(), ["inner", "outer"]);
}

#[anyio::test]
async fn a_limit_that_ran_out_lets_the_loop_around_it_go_on() {
    let mut tries = 0;
    let value = loop {
        tries += 1;
        move_on_after!(1ms, {
            if tries < 3 {
                sleep_forever().await;
            }
            break "done";
        });
    };
    assert_eq!((value, tries), ("done", 3));
}

#[anyio::test]
async fn what_leaves_works_in_a_parallel_task() {
    let value = task_group!(|tg| {
        tg.spawn_parallel(async {
            for n in 0.. {
                finally!(
                    {
                        move_on_after!(LONG, {
                            checkpoint().await;
                            if n == 5 {
                                return n;
                            }
                        });
                    },
                    { checkpoint().await }
                );
            }
            unreachable!()
        })
        .await
    });
    assert_eq!(value, 5);
}
