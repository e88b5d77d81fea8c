//! The limit comes first.

use anyio::move_on_after;

async fn wait() {
    move_on_after!({ std::future::ready(()).await });
}

fn main() {}
