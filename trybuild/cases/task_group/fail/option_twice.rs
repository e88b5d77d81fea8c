//! An option is given once.

use anyio::task_group;

async fn group() {
    task_group!(name = "a", name = "b", |tg| {
        tg.spawn(async {});
    });
}

fn main() {}
