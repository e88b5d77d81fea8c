//! `?`, `return`, `break` and `continue`: the same tests for each macro.

use std::num::ParseIntError;
use std::time::Duration;

use anyio::{
    AsyncResource, checkpoint, current_time, fail_after, fail_at, finally, move_on_after,
    move_on_at, shield, with,
};

const LONG: Duration = Duration::from_secs(3600);

struct File;

impl AsyncResource for File {
    async fn aclose(&mut self) {
        checkpoint().await;
    }
}

/// A module of tests for `$mac!($before { … } $after)`, whose result `$value` turns into what the block gave.
macro_rules! suite {
    ($name:ident, $mac:ident!([$($before:tt)*] block [$($after:tt)*]), $value:expr) => {
        mod $name {
            use super::*;

            #[anyio::test]
            async fn the_end_of_the_block_gives_its_value() {
                let text = String::from("five");
                let value = $mac!($($before)* {
                    checkpoint().await;
                    text.len() + 1
                } $($after)*);
                assert_eq!($value(value), 5);
                assert_eq!(text, "five");
            }

            #[anyio::test]
            async fn return_leaves_the_function() {
                async fn leave(early: bool) -> &'static str {
                    let value = $mac!($($before)* {
                        checkpoint().await;
                        if early {
                            return "early";
                        }
                        "late"
                    } $($after)*);
                    assert!(!early, "the code after the block does not run");
                    $value(value)
                }
                assert_eq!(leave(true).await, "early");
                assert_eq!(leave(false).await, "late");
            }

            #[anyio::test]
            async fn return_at_the_end_leaves_the_function_too() {
                async fn leave() -> u32 {
                    let _ = $mac!($($before)* { return 1 } $($after)*);
                    #[allow(unreachable_code)]
                    {
                        2
                    }
                }
                assert_eq!(leave().await, 1);
            }

            #[anyio::test]
            async fn a_question_mark_leaves_the_function_and_converts_the_error() {
                struct Bad(ParseIntError);
                impl From<ParseIntError> for Bad {
                    fn from(error: ParseIntError) -> Self {
                        Self(error)
                    }
                }
                async fn parse(text: &str) -> Result<u32, Bad> {
                    let value = $mac!($($before)* {
                        checkpoint().await;
                        text.parse::<u32>()?
                    } $($after)*);
                    Ok($value(value) + 1)
                }
                assert!(matches!(parse("4").await, Ok(5)));
                let Err(Bad(error)) = parse("x").await else { panic!() };
                assert!(error.to_string().contains("invalid digit"));
            }

            #[anyio::test]
            async fn a_question_mark_behind_an_option_leaves_a_function_that_gives_one() {
                async fn first(text: Option<&str>) -> Option<char> {
                    let value = $mac!($($before)* {
                        checkpoint().await;
                        text?.chars().next()?
                    } $($after)*);
                    Some($value(value))
                }
                assert_eq!(first(Some("ab")).await, Some('a'));
                assert_eq!(first(Some("")).await, None);
                assert_eq!(first(None).await, None);
            }

            #[anyio::test]
            async fn break_and_continue_are_those_of_the_loop_around() {
                let mut seen = Vec::new();
                for n in 0..10 {
                    let _ = $mac!($($before)* {
                        checkpoint().await;
                        if n % 2 == 0 {
                            continue;
                        }
                        if n > 6 {
                            break;
                        }
                        seen.push(n);
                    } $($after)*);
                    seen.push(100 + n);
                }
                assert_eq!(seen, [1, 101, 3, 103, 5, 105]);
            }

            #[anyio::test]
            async fn labels_are_those_around() {
                let mut seen = Vec::new();
                'outer: for n in 0..5 {
                    for m in 0..5 {
                        let _ = $mac!($($before)* {
                            checkpoint().await;
                            if m == 2 {
                                continue 'outer;
                            }
                            if n == 2 {
                                break 'outer;
                            }
                            seen.push((n, m));
                        } $($after)*);
                    }
                    unreachable!();
                }
                assert_eq!(seen, [(0, 0), (0, 1), (1, 0), (1, 1)]);
            }

            #[anyio::test]
            async fn break_takes_a_value_along() {
                let mut rounds = 0;
                let value = loop {
                    rounds += 1;
                    let _ = $mac!($($before)* {
                        checkpoint().await;
                        if rounds == 3 {
                            break "third";
                        }
                    } $($after)*);
                };
                assert_eq!(value, "third");
                let value = 'block: {
                    let _ = $mac!($($before)* {
                        checkpoint().await;
                        if rounds == 3 {
                            break 'block 1;
                        }
                    } $($after)*);
                    2
                };
                assert_eq!(value, 1);
            }

            #[anyio::test]
            async fn loops_inside_keep_their_own() {
                let mut seen = Vec::new();
                let value = $mac!($($before)* {
                    for n in 0..5 {
                        checkpoint().await;
                        if n == 1 {
                            continue;
                        }
                        if n == 3 {
                            break;
                        }
                        seen.push(n);
                    }
                    'inner: while seen.len() < 10 {
                        loop {
                            seen.push(9);
                            if seen.len() == 4 {
                                break 'inner;
                            }
                            continue 'inner;
                        }
                    }
                    seen.len()
                } $($after)*);
                assert_eq!($value(value), 4);
            }

            #[anyio::test]
            async fn the_block_may_change_what_is_around() {
                let mut sum = 0;
                let mut log = Vec::new();
                for n in 1..4 {
                    let _ = $mac!($($before)* {
                        sum += n;
                        checkpoint().await;
                        log.push(sum);
                    } $($after)*);
                }
                assert_eq!((sum, log), (6, vec![1, 3, 6]));
            }
        }
    };
}

suite!(
    move_on_after_block,
    move_on_after!([LONG,] block []),
    Option::unwrap
);
suite!(
    move_on_after_literal,
    move_on_after!([1h,] block []),
    Option::unwrap
);
suite!(
    move_on_after_shielded,
    move_on_after!([shield = true, LONG,] block []),
    Option::unwrap
);
suite!(
    move_on_at_block,
    move_on_at!([current_time() + LONG,] block []),
    Option::unwrap
);
suite!(
    fail_after_block,
    fail_after!([LONG,] block []),
    Result::unwrap
);
suite!(
    fail_after_reason,
    fail_after!([reason = "slow", LONG,] block []),
    Result::unwrap
);
suite!(
    fail_at_block,
    fail_at!([current_time() + LONG,] block []),
    Result::unwrap
);
suite!(shield_block, shield!([] block []), std::convert::identity);
suite!(
    finally_body,
    finally!([] block [, { checkpoint().await }]),
    std::convert::identity
);
suite!(
    with_block,
    with!([_file = File,] block []),
    std::convert::identity
);
