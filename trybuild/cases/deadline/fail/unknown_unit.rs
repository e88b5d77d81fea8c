//! A unit that there is not.

use anyio::move_on_after;

async fn wait() {
    move_on_after!(5sec, { std::future::ready(()).await });
}

fn main() {}
