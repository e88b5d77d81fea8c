//! The `#[test]` functions are made by the attribute.

#[anyio::test]
#[test]
async fn adds_up() {}

fn main() {}
