//! What a parked child costs in memory.

use std::future::pending;
use std::hint::black_box;

use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::allocations;
use crate::harness::Bench;

const N: usize = 1_000;

/// A future of 72 bytes that never ends.
async fn parked(data: [u64; 8]) {
    pending::<()>().await;
    black_box(data);
}

pub fn run(bench: &Bench) {
    if bench.row("bytes per parked child").is_none() {
        return;
    }
    println!(
        "bytes per parked child (a future of {} bytes)",
        size_of_val(&parked([0; 8]))
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut set = JoinSet::new();
        report("JoinSet", || {
            for _ in 0..N {
                set.spawn(parked([1; 8]));
            }
        });
        let unordered = FuturesUnordered::new();
        report("FuturesUnordered", || {
            for _ in 0..N {
                unordered.push(parked([1; 8]));
            }
        });
        let executor = smol::LocalExecutor::new();
        report("smol's executor", || {
            for _ in 0..N {
                executor.spawn(parked([1; 8])).detach();
            }
        });
        anyio::task_group!(|tg| {
            report("anyio", || {
                for _ in 0..N {
                    tg.spawn(parked([1; 8]));
                }
            });
            tg.cancel();
        });
    });
}

fn report(name: &str, spawn: impl FnOnce()) {
    let (bytes, blocks) = (allocations::bytes(), allocations::count());
    spawn();
    let (bytes, blocks) = (allocations::bytes() - bytes, allocations::count() - blocks);
    println!(
        "  {name:<20} {:.0} bytes in {:.1} blocks",
        bytes as f64 / N as f64,
        blocks as f64 / N as f64
    );
}
