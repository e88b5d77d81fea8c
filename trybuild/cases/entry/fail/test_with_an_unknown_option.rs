//! The nearest option is suggested.

#[anyio::test(time_out = 5s)]
async fn adds_up() {}

fn main() {}
