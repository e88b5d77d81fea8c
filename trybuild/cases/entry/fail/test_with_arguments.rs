//! A test takes nothing.

#[anyio::test]
async fn adds_up(n: u32) {
    assert_eq!(n, 2);
}

fn main() {}
