//! Nor is a text.

use anyio::move_on_after;

async fn wait() {
    move_on_after!("5s", { std::future::ready(()).await });
}

fn main() {}
