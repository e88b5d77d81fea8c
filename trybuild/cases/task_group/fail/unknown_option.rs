//! Options are checked, and the nearest is suggested.

use anyio::task_group;

async fn group() {
    task_group!(nme = "crawler", |tg| {
        tg.spawn(async {});
    });
}

fn main() {}
