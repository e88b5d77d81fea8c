//! And once on each.

#[anyio::test(backends = [smol, tokio, smol])]
async fn adds_up() {}

fn main() {}
