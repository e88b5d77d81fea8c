//! `finally!` has two blocks.

use anyio::finally;

async fn work() {
    finally!({ std::future::ready(()).await });
}

fn main() {}
