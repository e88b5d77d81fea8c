//! Starting children and joining them; cancelling parked ones.

use std::future::pending;
use std::hint::black_box;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::harness::Bench;

pub fn run(bench: &Bench) {
    for n in [10, 1_000, 100_000] {
        ready(
            bench,
            &format!("spawn + join, N = {n}"),
            n,
            (20_000 / n).max(1),
        );
    }
}

/// The same work at every size: the cost of one must not depend on how many there are.
pub fn growth(bench: &Bench) {
    for n in [10, 1_000, 100_000, 1_000_000] {
        let Some(row) = bench.row(format!("growth, N = {n}")) else {
            continue;
        };
        let repeat = (20_000 / n).max(1);
        row.add("anyio", move || anyio_ready(n, repeat))
            .measure(n * repeat);
    }
}

fn ready(bench: &Bench, name: &str, n: usize, repeat: usize) {
    let Some(row) = bench.row(name) else { return };
    row.add("JoinSet", move || async move {
        for _ in 0..repeat {
            let mut set = JoinSet::new();
            for i in 0..n {
                set.spawn(async move {
                    black_box(i);
                });
            }
            while set.join_next().await.is_some() {}
        }
    })
    .add("FuturesUnordered", move || async move {
        for _ in 0..repeat {
            let mut set = FuturesUnordered::new();
            for i in 0..n {
                set.push(async move {
                    black_box(i);
                });
            }
            while set.next().await.is_some() {}
        }
    })
    .add("anyio", move || anyio_ready(n, repeat))
    .measure(n * repeat);
}

async fn anyio_ready(n: usize, repeat: usize) {
    for _ in 0..repeat {
        anyio::task_group!(|tg| {
            for i in 0..n {
                tg.spawn(async move {
                    black_box(i);
                });
            }
        });
    }
}

pub fn cancel(bench: &Bench) {
    const N: usize = 10_000;
    let Some(row) = bench.row("cancel 10,000 parked children") else {
        return;
    };
    row.add("JoinSet::shutdown", || async {
        let mut set = JoinSet::new();
        for i in 0..N {
            set.spawn(async move {
                pending::<()>().await;
                black_box(i);
            });
        }
        tokio::task::yield_now().await;
        set.shutdown().await;
    })
    .add("drop of FuturesUnordered", || async {
        let mut set = FuturesUnordered::new();
        for i in 0..N {
            set.push(async move {
                pending::<()>().await;
                black_box(i);
            });
        }
        let _ = futures::poll!(set.next());
    })
    .add("anyio", || async {
        anyio::task_group!(|tg| {
            for i in 0..N {
                tg.spawn(async move {
                    pending::<()>().await;
                    black_box(i);
                });
            }
            anyio::checkpoint().await;
            tg.cancel();
        });
    })
    .measure(N);
}
