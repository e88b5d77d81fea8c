//! The closure has a parameter.

use anyio::task_group;

async fn group() {
    task_group!(|| {});
}

fn main() {}
