//! In a group that can fail each child gives a `Result`.

use anyio::task_group;

async fn fail() {
    let _ = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async { 5 });
        Ok(())
    });
}

fn main() {}
