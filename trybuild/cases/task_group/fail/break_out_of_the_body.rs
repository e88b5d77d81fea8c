//! A closure body is a function of its own: `break` does not leave it.

use anyio::task_group;

async fn search() {
    loop {
        task_group!(|tg| {
            tg.spawn(async {});
            break;
        });
    }
}

fn main() {}
