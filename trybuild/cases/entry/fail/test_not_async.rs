//! A test is async.

#[anyio::test]
fn adds_up() {}

fn main() {}
