//! An expression has to be a `Duration`.

use anyio::move_on_after;

async fn wait(seconds: u64) {
    move_on_after!(seconds, { std::future::ready(()).await });
}

fn main() {}
