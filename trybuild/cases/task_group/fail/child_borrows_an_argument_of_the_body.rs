//! Nor can it borrow what a helper function owns.

use anyio::{TaskGroup, task_group};

async fn helper(tg: TaskGroup<'_>, text: String) {
    tg.spawn(async { println!("{text}") });
}

async fn call() {
    task_group!(|tg| helper(tg, String::new()).await);
}

fn main() {}
