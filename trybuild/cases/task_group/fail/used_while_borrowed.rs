//! The body cannot look at what a child is changing.

use anyio::task_group;

async fn peek() {
    let mut count = 0;
    task_group!(|tg| {
        tg.spawn(async { count += 1 });
        println!("{count}");
    });
}

fn main() {}
