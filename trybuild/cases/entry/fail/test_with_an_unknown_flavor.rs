//! The nearest flavor is suggested.

#[anyio::test(backends = [tokio(flavor = "curent_thread")])]
async fn adds_up() {}

fn main() {}
