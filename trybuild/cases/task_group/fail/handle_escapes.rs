//! A handle cannot leave the group: its task has ended by then.

use anyio::task_group;

async fn escape() {
    let mut kept = None;
    task_group!(|tg| {
        kept = Some(tg.spawn(async { 1 }));
    });
    kept.unwrap().await;
}

fn main() {}
