//! The nearest backend is suggested.

#[anyio::test(backends = [tokio, smoll])]
async fn adds_up() {}

fn main() {}
