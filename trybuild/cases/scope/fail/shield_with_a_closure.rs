//! A shield has nothing to hand over.

use anyio::shield;

async fn work() {
    shield!(|scope| {});
}

fn main() {}
