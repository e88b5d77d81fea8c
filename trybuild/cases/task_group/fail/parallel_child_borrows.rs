//! A parallel child owns what it uses.

use anyio::task_group;

async fn parallel() {
    let text = String::new();
    task_group!(|tg| {
        tg.spawn_parallel(async { println!("{text}") });
    });
}

fn main() {}
