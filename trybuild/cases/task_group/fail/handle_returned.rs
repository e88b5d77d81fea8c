//! A handle cannot be what the group gives.

use anyio::task_group;

async fn escape() -> u32 {
    let handle = task_group!(|tg| tg.spawn(async { 1 }));
    handle.await
}

fn main() {}
