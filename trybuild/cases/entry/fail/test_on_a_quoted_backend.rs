//! Backends are names, not texts.

#[anyio::test(backends = ["tokio"])]
async fn adds_up() {}

fn main() {}
