//! So does what it gives.

use std::rc::Rc;

use anyio::task_group;

async fn give() {
    task_group!(|tg| {
        tg.spawn(async { Rc::new(1) });
    });
}

fn main() {}
