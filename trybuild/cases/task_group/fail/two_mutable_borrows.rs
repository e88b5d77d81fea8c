//! Two children cannot both change the same variable.

use anyio::task_group;

async fn count() {
    let mut count = 0;
    task_group!(|tg| {
        tg.spawn(async { count += 1 });
        tg.spawn(async { count += 1 });
    });
}

fn main() {}
