//! What a block consumes is moved into it, each time round.

use anyio::move_on_after;

async fn consume(text: String) {
    for _ in 0..2 {
        move_on_after!(5s, { drop(text) });
    }
}

fn main() {}
