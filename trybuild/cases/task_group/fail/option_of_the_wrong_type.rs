//! The value of an option has its type.

use anyio::task_group;

async fn group() {
    task_group!(shield = "yes", |tg| {
        tg.spawn(async {});
    });
}

fn main() {}
