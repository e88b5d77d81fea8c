//! The group itself cannot leave either.

use anyio::task_group;

async fn escape() {
    let mut kept = None;
    task_group!(|tg| {
        kept = Some(tg);
    });
    kept.unwrap().spawn(async {});
}

fn main() {}
