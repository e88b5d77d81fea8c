//! And only in a function that can give the error.

use anyio::move_on_after;

async fn parse(text: &str) {
    move_on_after!(5s, { text.parse::<u32>()? });
}

fn main() {}
