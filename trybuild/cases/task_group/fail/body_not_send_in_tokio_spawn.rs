//! A body that is not `Send` makes the whole future so.

use std::rc::Rc;

use anyio::{checkpoint, task_group};

async fn body() {
    let shared = Rc::new(1);
    task_group!(|tg| {
        tg.spawn(checkpoint());
        checkpoint().await;
        println!("{shared}");
    });
}

fn main() {
    tokio::spawn(body());
}
