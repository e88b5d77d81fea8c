//! A number is no duration.

use anyio::fail_after;

async fn wait() {
    let _ = fail_after!(5, { std::future::ready(()).await });
}

fn main() {}
