//! Options come first.

use anyio::move_on_after;

async fn wait() {
    move_on_after!(5s, { std::future::ready(()).await }, shield = true);
}

fn main() {}
