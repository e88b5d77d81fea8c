//! An instant is for the `_at` forms.

use std::time::Instant;

use anyio::move_on_after;

async fn wait(deadline: Instant) {
    move_on_after!(deadline, { std::future::ready(()).await });
}

fn main() {}
