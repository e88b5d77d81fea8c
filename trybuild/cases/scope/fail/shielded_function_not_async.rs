//! Only what is async can be shielded.

use anyio::shielded;

#[shielded]
fn commit() -> u32 {
    5
}

fn main() {
    commit();
}
