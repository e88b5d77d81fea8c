//! `finish` gives what the body gives.

use anyio::task_group;

async fn first() -> u32 {
    task_group!(|tg| {
        tg.spawn(async { tg.finish("five") });
        5
    })
}

fn main() {}
