//! A child may outlive the body, so it cannot borrow from it.

use anyio::task_group;

async fn borrow() {
    task_group!(|tg| {
        let inside = String::from("ends with the body");
        tg.spawn(async { println!("{inside}") });
    });
}

fn main() {}
