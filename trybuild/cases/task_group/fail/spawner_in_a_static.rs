//! A spawner cannot be kept for later.

use std::sync::Mutex;

use anyio::{Spawner, task_group};

static KEPT: Mutex<Option<Spawner<'static>>> = Mutex::new(None);

async fn keep() {
    task_group!(|tg| {
        *KEPT.lock().unwrap() = Some(tg.spawner());
    });
}

fn main() {}
