//! `?` in the body converts into the error of the annotation, or does not.

use anyio::task_group;

struct Mine;

async fn fail() {
    let _ = task_group!(|tg| -> Result<u32, Mine> {
        tg.spawn(async { Ok(()) });
        Ok("5".parse::<u32>()?)
    });
}

fn main() {}
