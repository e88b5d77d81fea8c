//! There are no options.

use anyio::shielded;

#[shielded(name = "commit")]
async fn commit() {}

fn main() {}
