//! `with!` takes what can be entered and left.

use anyio::with;

async fn work() {
    with!(n = 5, {
        println!("{n}");
    });
}

fn main() {}
