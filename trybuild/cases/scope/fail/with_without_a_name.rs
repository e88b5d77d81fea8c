//! And a name for it.

use anyio::with;

async fn work(manager: std::fs::File) {
    with!(manager, {
        println!("entered");
    });
}

fn main() {}
