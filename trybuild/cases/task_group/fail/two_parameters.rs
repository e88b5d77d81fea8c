//! And only one.

use anyio::task_group;

async fn group() {
    task_group!(|tg, scope| {
        tg.spawn(async {});
    });
}

fn main() {}
