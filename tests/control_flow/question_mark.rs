//! More of `?`.

use std::error::Error;
use std::ops::ControlFlow;
use std::task::Poll;
use std::time::Duration;

use anyio::{
    ErrorGroup, cancel_scope, checkpoint, fail_after, move_on_after, shield, sleep_forever,
    task_group,
};

const LONG: Duration = Duration::from_secs(3600);

#[anyio::test]
async fn it_boxes_errors_of_several_kinds() {
    async fn read(text: &[u8]) -> Result<u32, Box<dyn Error + Send + Sync>> {
        let n = fail_after!(LONG, {
            let text = std::str::from_utf8(text)?;
            checkpoint().await;
            let n: u32 = text.parse()?;
            n.checked_sub(1).ok_or("zero")?
        })?;
        Ok(n)
    }
    assert_eq!(read(b"5").await.unwrap(), 4);
    assert!(
        read(&[0xff])
            .await
            .unwrap_err()
            .to_string()
            .contains("utf-8")
    );
    assert!(
        read(b"x")
            .await
            .unwrap_err()
            .to_string()
            .contains("invalid digit")
    );
    assert_eq!(read(b"0").await.unwrap_err().to_string(), "zero");
}

#[anyio::test]
async fn behind_the_macro_it_is_the_time_limits() {
    async fn wait() -> Result<(), anyio::TimeoutError> {
        fail_after!(1ms, { sleep_forever().await })?;
        unreachable!()
    }
    assert!(wait().await.unwrap_err().is_deadline());
}

#[anyio::test]
async fn it_leaves_with_a_control_flow() {
    async fn find(n: u32) -> ControlFlow<u32, &'static str> {
        shield!({
            checkpoint().await;
            if n > 1 {
                ControlFlow::Break(n)?;
            }
        });
        ControlFlow::Continue("went on")
    }
    assert_eq!(find(1).await, ControlFlow::Continue("went on"));
    assert_eq!(find(2).await, ControlFlow::Break(2));
}

#[anyio::test]
async fn it_looks_into_a_poll_of_a_result() {
    async fn look(poll: Poll<Result<u32, String>>) -> Result<&'static str, String> {
        shield!({
            match poll? {
                Poll::Ready(_) => Ok("ready"),
                Poll::Pending => Ok("pending"),
            }
        })
    }
    assert_eq!(look(Poll::Ready(Ok(1))).await, Ok("ready"));
    assert_eq!(look(Poll::Pending).await, Ok("pending"));
    assert_eq!(
        look(Poll::Ready(Err("bad".into()))).await,
        Err("bad".into())
    );
}

#[anyio::test]
async fn in_an_annotated_closure_it_stays_inside() {
    let inside = move_on_after!(LONG, |_scope| -> Result<u32, std::num::ParseIntError> {
        checkpoint().await;
        Ok("x".parse::<u32>()? + 1)
    });
    assert!(inside.unwrap().is_err());
    let inside = cancel_scope!(|_scope| -> Option<u32> {
        checkpoint().await;
        let n: Option<u32> = None;
        Some(n? + 1)
    });
    assert_eq!(inside.unwrap(), None);
    let inside = task_group!(|tg| -> Result<u32, std::num::ParseIntError> {
        tg.spawn(async { Ok(()) });
        Ok("x".parse::<u32>()? + 1)
    });
    assert_eq!(inside.unwrap_err().len(), 1);
}

#[anyio::test]
async fn behind_a_group_it_hands_on_the_group_of_errors() {
    async fn work() -> Result<u32, ErrorGroup<String>> {
        let n = task_group!(|tg| -> Result<u32, String> {
            tg.spawn(async { Err::<(), _>("a task".to_owned()) });
            checkpoint().await;
            Ok(5)
        })?;
        Ok(n)
    }
    assert_eq!(work().await.unwrap_err().into_first(), "a task");
}

#[anyio::test]
async fn the_first_that_fails_is_the_last_that_runs() {
    let log = std::cell::RefCell::new(Vec::new());
    let step = |n: u32| {
        log.borrow_mut().push(n);
        if n == 2 { Err(n) } else { Ok(n) }
    };
    let sum = async {
        let sum = shield!({ step(1)? + step(2)? + step(3)? });
        Ok::<u32, u32>(sum)
    };
    assert_eq!(sum.await, Err(2));
    assert_eq!(*log.borrow(), [1, 2]);
}
