//! The annotation is the `Result` of the body.

use anyio::task_group;

async fn count() -> u32 {
    task_group!(|tg| -> u32 {
        tg.spawn(async {});
        5
    })
}

fn main() {}
