//! `move_on_after!` has nobody to give a reason to.

use anyio::move_on_after;

async fn wait() {
    move_on_after!(reason = "slow", 5s, { std::future::ready(()).await });
}

fn main() {}
