//! `break` in a block needs a loop around the macro.

use anyio::move_on_after;

async fn search() {
    move_on_after!(5s, { break });
}

fn main() {}
