//! A local group stays on its thread.

use anyio::{checkpoint, local_task_group};

async fn body() {
    local_task_group!(|tg| {
        tg.spawn(checkpoint());
    });
}

fn main() {
    tokio::spawn(body());
}
