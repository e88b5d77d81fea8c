//! And only behind a value that has an error.

use anyio::move_on_after;

async fn parse() -> Option<u32> {
    move_on_after!(5s, { 5? })
}

fn main() {}
