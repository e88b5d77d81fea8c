//! What a child holds while it is suspended counts too.

use std::rc::Rc;

use anyio::{checkpoint, task_group};

async fn hold() {
    task_group!(|tg| {
        tg.spawn(async {
            let held = Rc::new(1);
            checkpoint().await;
            drop(held);
        });
    });
}

fn main() {}
