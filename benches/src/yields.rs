//! Children that are woken and polled again.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use futures_concurrency::future::FutureGroup;
use tokio::task::JoinSet;

use crate::harness::{Bench, yields};

pub fn run(bench: &Bench) {
    const N: usize = 1_000;
    for times in [1, 10] {
        let name = format!("each child yields {times}x, N = 1,000");
        let Some(row) = bench.row(name) else { continue };
        row.add("JoinSet", move || async move {
            for _ in 0..10 {
                let mut set = JoinSet::new();
                for _ in 0..N {
                    set.spawn(yields(times));
                }
                while set.join_next().await.is_some() {}
            }
        })
        .add("FuturesUnordered", move || async move {
            for _ in 0..10 {
                let mut set: FuturesUnordered<_> = (0..N).map(|_| yields(times)).collect();
                while set.next().await.is_some() {}
            }
        })
        .add("FutureGroup", move || async move {
            for _ in 0..10 {
                let mut set: FutureGroup<_> = (0..N).map(|_| yields(times)).collect();
                while set.next().await.is_some() {}
            }
        })
        .add("anyio", move || async move {
            for _ in 0..10 {
                anyio::task_group!(|tg| {
                    for _ in 0..N {
                        tg.spawn(yields(times));
                    }
                });
            }
        })
        .measure(10 * N);
    }
}
