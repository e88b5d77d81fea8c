//! Only functions can.

use anyio::shielded;

#[shielded]
struct Commit;

fn main() {}
