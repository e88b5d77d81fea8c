//! All children of a group fail with its error.

use anyio::task_group;

async fn fail() {
    let _ = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async { "5".parse::<u32>() });
        Ok(())
    });
}

fn main() {}
