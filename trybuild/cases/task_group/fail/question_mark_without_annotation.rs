//! `?` in a body needs to know the error type.

use anyio::task_group;

async fn parse(text: &str) -> u32 {
    task_group!(|tg| {
        tg.spawn(async {});
        let n: u32 = text.parse()?;
        n
    })
}

fn main() {}
