//! Nothing can be spawned once the group is over.

use anyio::task_group;

async fn late() {
    let mut kept = None;
    task_group!(|tg| {
        kept = Some(tg.spawner());
    });
    kept.unwrap().spawn(async {});
}

fn main() {}
