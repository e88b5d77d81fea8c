//! The value of a task is taken once.

use anyio::task_group;

async fn twice() {
    task_group!(|tg| {
        let handle = tg.spawn(async { String::new() });
        println!("{} {}", handle.await, handle.await);
    });
}

fn main() {}
