//! The body cannot give away what a child borrows.

use anyio::task_group;

async fn give_away() {
    let text = String::new();
    task_group!(|tg| {
        tg.spawn(async { println!("{text}") });
        drop(text);
    });
}

fn main() {}
