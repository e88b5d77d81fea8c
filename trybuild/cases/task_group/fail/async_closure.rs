//! The macro awaits by itself.

use anyio::task_group;

async fn group() {
    task_group!(async |tg| {
        tg.spawn(async {});
    })
    .await;
}

fn main() {}
