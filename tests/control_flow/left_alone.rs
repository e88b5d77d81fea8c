//! What belongs to something inside the block stays there: closures, async blocks, functions, items.

use std::time::Duration;

use anyio::{checkpoint, finally, move_on_after, shield, task_group};

const LONG: Duration = Duration::from_secs(3600);

#[anyio::test]
async fn closures_keep_their_return_and_question_mark() {
    let sum = shield!({
        let parse = |text: &str| -> Result<u32, std::num::ParseIntError> {
            if text.is_empty() {
                return Ok(0);
            }
            Ok(text.parse::<u32>()? + 1)
        };
        let all: Vec<u32> = ["1", "", "x"]
            .iter()
            .filter_map(|text| parse(text).ok())
            .collect();
        all.iter().sum::<u32>()
    });
    assert_eq!(sum, 2);
}

#[anyio::test]
async fn async_blocks_and_async_closures_keep_theirs() {
    let value = move_on_after!(LONG, {
        let block = async {
            checkpoint().await;
            if true {
                return Err::<u32, &str>("block");
            }
            let n = Err::<u32, &str>("never")?;
            Ok(n)
        };
        let closure = async |n: u32| {
            if n == 0 {
                return "zero";
            }
            "other"
        };
        (block.await, closure(0).await, closure(1).await)
    });
    assert_eq!(value, Some((Err("block"), "zero", "other")));
}

#[anyio::test]
async fn functions_and_items_keep_theirs() {
    let value = shield!({
        fn early(n: u32) -> Option<u32> {
            if n == 0 {
                return None;
            }
            Some(n.checked_sub(2)? + 1)
        }
        struct Parser;
        impl Parser {
            async fn parse(&self, text: &str) -> Result<u32, std::num::ParseIntError> {
                checkpoint().await;
                Ok(text.parse::<u32>()?)
            }
        }
        (
            early(0),
            early(1),
            early(5),
            Parser.parse("x").await.is_err(),
        )
    });
    assert_eq!(value, (None, None, Some(4), true));
}

#[anyio::test]
async fn tasks_of_a_group_inside_keep_theirs() {
    let value = shield!({
        task_group!(|tg| {
            let task = tg.spawn(async {
                checkpoint().await;
                for n in 0.. {
                    if n == 3 {
                        return n;
                    }
                }
                unreachable!()
            });
            task.await
        })
    });
    assert_eq!(value, 3);
}

#[anyio::test]
async fn a_break_inside_a_labelled_block_of_the_block_stays_there() {
    let value = move_on_after!(LONG, {
        let inner = 'inner: {
            checkpoint().await;
            if true {
                break 'inner 1;
            }
            2
        };
        inner + 10
    });
    assert_eq!(value, Some(11));
}

#[anyio::test]
async fn a_label_inside_hides_one_of_the_same_name_around() {
    let mut log = Vec::new();
    'name: for n in 0..2 {
        shield!({
            'name: for m in 0..5 {
                checkpoint().await;
                if m == 1 {
                    break 'name;
                }
                log.push((n, m));
            }
        });
        log.push((n, 9));
        if n == 1 {
            break 'name;
        }
    }
    assert_eq!(log, [(0, 0), (0, 9), (1, 0), (1, 9)]);
}

#[anyio::test]
async fn macros_with_expressions_are_looked_into() {
    async fn work(text: &str) -> Result<String, std::num::ParseIntError> {
        let said = shield!({
            checkpoint().await;
            assert!(text.parse::<u32>()? > 0, "{}", text.parse::<u32>()?);
            let list = vec![text.parse::<u32>()?, 1];
            format!("{} {list:?}", text.parse::<u32>()?)
        });
        Ok(said)
    }
    assert_eq!(work("5").await.unwrap(), "5 [5, 1]");
    assert!(work("x").await.is_err());
}

#[anyio::test]
async fn a_select_inside_is_looked_into() {
    async fn work(n: u32) -> Result<u32, String> {
        for _ in 0..3 {
            finally!(
                {
                    tokio::select! {
                        n = async { checkpoint().await; n } => match n {
                            0 => return Ok(100),
                            1 => Err("one")?,
                            2 => break,
                            _ => continue,
                        },
                        () = std::future::pending() => {}
                    }
                },
                {}
            );
        }
        Ok(n)
    }
    assert_eq!(work(0).await, Ok(100));
    assert_eq!(work(1).await, Err("one".to_owned()));
    assert_eq!(work(2).await, Ok(2));
    assert_eq!(work(3).await, Ok(3));
}

#[anyio::test]
async fn values_moved_into_a_block_are_gone_afterwards_and_come_out_as_its_value() {
    let text = String::from("moved");
    let back = shield!({
        let inside = text;
        checkpoint().await;
        inside
    });
    assert_eq!(back, "moved");
}
