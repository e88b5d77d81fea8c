//! The body of a group is a closure, which names the group.

use anyio::task_group;

async fn group() {
    task_group!({
        println!("no group to spawn in");
    });
}

fn main() {}
