//! Attributes of tests of all kinds.

#[anyio::test]
async fn plain() {}

#[anyio::test(backends = [tokio, tokio(flavor = "current_thread"), tokio(worker_threads = 2), smol(threads = 1),], timeout = 1.5s)]
#[should_panic(expected = "on purpose")]
#[allow(unreachable_code)]
async fn options() -> Result<(), String> {
    panic!("on purpose");
    Ok(())
}

#[anyio::test]
#[ignore = "for a reason"]
#[cfg(unix)]
/// With documentation.
async fn conditional() {}

fn main() {}
