//! `?`, `return`, `break` and `continue` leave a block as they would leave any.

#![deny(warnings)]

use std::ops::ControlFlow;
use std::time::Duration;

use anyio::{checkpoint, fail_after, move_on_after, shield, sleep};

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn question(text: &str) -> Result<u32, Error> {
    let n = move_on_after!(1s, {
        let a: u32 = text.parse()?;
        let b = text.parse::<u32>()? + "1".parse::<u32>()?;
        let c = std::str::from_utf8(text.as_bytes())?.len() as u32;
        a + b + c
    });
    n.ok_or_else(|| "too slow".into())
}

async fn option(text: Option<&str>) -> Option<usize> {
    move_on_after!(1s, { text?.chars().next()?.len_utf8() })
}

async fn flow(n: u32) -> ControlFlow<u32> {
    let () = move_on_after!(1s, { if n > 1 { ControlFlow::Break(n)? } }).unwrap();
    ControlFlow::Continue(())
}

async fn loops() -> Vec<u32> {
    let mut seen = Vec::new();
    'outer: for n in 0.. {
        move_on_after!(1s, {
            for k in 0..10 {
                if k == 3 {
                    break; // the inner loop
                }
                if k == 1 {
                    continue;
                }
                if n == 1 {
                    continue 'outer;
                }
            }
            if n == 3 {
                continue;
            }
            if n == 5 {
                break;
            }
            checkpoint().await;
            seen.push(n);
        });
    }
    let found = loop {
        fail_after!(1s, { break 'x' }).unwrap();
    };
    assert_eq!(found, 'x');
    let block = 'block: {
        shield!({
            'inner: {
                break 'inner;
            }
            if seen.len() > 1 {
                break 'block "long";
            }
        });
        "short"
    };
    assert_eq!(block, "long");
    seen
}

async fn nested(n: u32) -> Result<u32, String> {
    let mut rounds = 0;
    loop {
        rounds += 1;
        let timed = fail_after!(1s, {
            let inner = move_on_after!(1s, {
                shield!({
                    if n == 0 {
                        return Err("zero".to_owned());
                    }
                    if n == rounds {
                        break;
                    }
                    n.checked_sub(1).ok_or("never")? + 1
                })
            });
            inner.ok_or_else(|| "slow".to_owned())?
        });
        if timed.is_err() {
            return Err("timed out".into());
        }
        if rounds == 9 {
            return Ok(9);
        }
    }
    Ok(rounds)
}

async fn closures_and_async_blocks_are_left_alone() -> u32 {
    let sum = move_on_after!(1s, {
        let parse = |text: &str| -> Option<u32> { Some(text.parse::<u32>().ok()? + 1) };
        let later = async {
            let n: Result<u32, std::num::ParseIntError> = async { Ok("5".parse::<u32>()?) }.await;
            return n.unwrap();
        };
        fn inner() -> Option<u32> {
            return Some("1".parse::<u32>().ok()?);
        }
        parse("1").unwrap() + later.await + inner().unwrap()
    });
    sum.unwrap()
}

async fn macros(text: &str) -> Result<String, Error> {
    let out = move_on_after!(1s, {
        assert_eq!(text.parse::<u32>()?, 7, "seven {}", text.parse::<u32>()?);
        let list = vec![text.parse::<u32>()?, 1];
        let more = vec![text.parse::<u8>()?; 2];
        tokio::select! {
            () = std::future::pending() => {}
            n = async { 1 }, if list.len() > 1 => {
                let _: u32 = text.parse()?;
                if n == 2 { return Err("two".into()) }
            }
            else => return Err("none".into()),
        }
        format!("{} {:?} {}", text.parse::<u32>()?, list, more.len())
    });
    sleep(Duration::ZERO).await;
    Ok(out.unwrap())
}

async fn diverging() -> u32 {
    move_on_after!(1s, { return 5 });
    move_on_after!(1s, { loop { checkpoint().await; if true { return 6 } } });
    7
}

fn main() {
    anyio::run(anyio::Backend::default(), async {
        assert_eq!(question("10").await.unwrap(), 23);
        assert!(question("x").await.unwrap_err().to_string().contains("invalid digit"));
        assert_eq!(option(Some("a")).await, Some(1));
        assert_eq!(option(None).await, None);
        assert_eq!(flow(1).await, ControlFlow::Continue(()));
        assert_eq!(flow(2).await, ControlFlow::Break(2));
        assert_eq!(loops().await, [0, 2, 4]);
        assert_eq!(nested(0).await, Err("zero".into()));
        assert_eq!(nested(3).await, Ok(3));
        assert_eq!(nested(20).await, Ok(9));
        assert_eq!(closures_and_async_blocks_are_left_alone().await, 8);
        assert_eq!(macros("7").await.unwrap(), "7 [7, 1] 2");
        assert_eq!(diverging().await, 5);
    })
    .unwrap();
}
