//! `return` in a block returns from the function.

use anyio::move_on_after;

async fn early() -> u32 {
    move_on_after!(5s, { return "early" });
    5
}

fn main() {}
