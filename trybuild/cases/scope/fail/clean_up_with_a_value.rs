//! A clean-up gives nothing.

use anyio::finally;

async fn work() {
    finally!({ std::future::ready(()).await }, { 5 });
}

fn main() {}
