//! Manual: docs/manual/basics.md
use anyio::*;

#[anyio::test]
async fn sleeps() {
    sleep(std::time::Duration::from_millis(1)).await;
}

#[anyio::test(backends = [tokio(flavor = "current_thread"), smol(threads = 1), tokio], timeout = 20ms)]
#[should_panic(expected = "took longer than 20ms")]
async fn times_out() {
    sleep_forever().await;
}

#[anyio::test]
async fn gives_results() -> Result<(), std::num::ParseIntError> {
    "1".parse::<i32>()?;
    Ok(())
}
