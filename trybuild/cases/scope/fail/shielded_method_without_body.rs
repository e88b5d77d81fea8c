//! A declaration has nothing to shield; the implementation has.

use anyio::shielded;

trait Commit {
    #[shielded]
    async fn commit(&self);
}

fn main() {}
