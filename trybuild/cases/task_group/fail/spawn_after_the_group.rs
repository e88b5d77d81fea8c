//! Nothing can be spawned once the group is over.

use anyio::{Spawner, task_group};

async fn late() {
    let spawner: Spawner<'_>;
    task_group!(|tg| {
        spawner = tg.spawner();
    });
    spawner.spawn(async {});
}

fn main() {}
