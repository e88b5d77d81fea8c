//! And then the body.

use anyio::move_on_after;

async fn wait() {
    move_on_after!(5s);
}

fn main() {}
