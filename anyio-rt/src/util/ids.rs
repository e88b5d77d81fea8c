//! Process-wide unique numbers, cheap enough to take one for every child.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many numbers a thread takes from the shared counter at a time.
const BLOCK: u64 = 1024;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static BLOCK_REST: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// A number that no other call in this process returns; never 0.
#[inline]
pub(crate) fn next() -> u64 {
    BLOCK_REST.with(|rest| {
        let (mut at, mut end) = rest.get();
        if at == end {
            at = NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed);
            end = at + BLOCK;
        }
        rest.set((at + 1, end));
        at
    })
}
