//! A test runs somewhere.

#[anyio::test(backends = [])]
async fn adds_up() {}

fn main() {}
