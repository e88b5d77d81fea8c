//! A group that gives a value is ended with `finish(value)`.

use anyio::task_group;

async fn first() -> u32 {
    task_group!(|tg| {
        tg.spawn(async { tg.cancel() });
        5
    })
}

fn main() {}
