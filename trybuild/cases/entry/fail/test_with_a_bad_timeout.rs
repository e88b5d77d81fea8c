//! A timeout has a unit.

#[anyio::test(timeout = 5)]
async fn adds_up() {}

fn main() {}
