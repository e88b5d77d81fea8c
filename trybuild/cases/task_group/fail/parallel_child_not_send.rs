//! And is `Send`, in a local group as well.

use std::rc::Rc;

use anyio::local_task_group;

async fn parallel() {
    let shared = Rc::new(1);
    local_task_group!(|tg| {
        tg.spawn_parallel(async move { println!("{shared}") });
    });
}

fn main() {}
