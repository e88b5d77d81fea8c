//! A task reports once that it has started.

use anyio::TaskStatus;

async fn service(status: TaskStatus<u16>) {
    status.started(1);
    status.started(2);
}

fn main() {}
