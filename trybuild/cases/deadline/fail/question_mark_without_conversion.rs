//! `?` in a block converts as the function does, or does not.

use anyio::move_on_after;

async fn parse(text: &str) -> Result<u32, String> {
    let n = move_on_after!(5s, { text.parse::<u32>()? });
    Ok(n.unwrap_or(0))
}

fn main() {}
