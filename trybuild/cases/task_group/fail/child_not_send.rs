//! A child of `task_group!` is `Send`; for others there is `local_task_group!`.

use std::rc::Rc;

use anyio::task_group;

async fn share() {
    let shared = Rc::new(1);
    task_group!(|tg| {
        tg.spawn(async { println!("{shared}") });
    });
}

fn main() {}
