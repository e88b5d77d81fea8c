//! Children as tasks of the runtime.

use std::hint::black_box;

use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::harness::Bench;

pub fn run(bench: &Bench) {
    const N: usize = 1_000;
    let Some(row) = bench.row("spawn_parallel + join, N = 1,000") else {
        return;
    };
    row.add("JoinSet", || async {
        let mut set = JoinSet::new();
        for i in 0..N {
            set.spawn(async move {
                black_box(i);
            });
        }
        while set.join_next().await.is_some() {}
    })
    .add("tokio::spawn", || async {
        let handles: Vec<_> = (0..N)
            .map(|i| {
                tokio::spawn(async move {
                    black_box(i);
                })
            })
            .collect();
        for handle in handles {
            handle.await.unwrap();
        }
    })
    .add("TaskTracker", || async {
        let tracker = TaskTracker::new();
        for i in 0..N {
            tracker.spawn(async move {
                black_box(i);
            });
        }
        tracker.close();
        tracker.wait().await;
    })
    .add("anyio", || async {
        anyio::task_group!(|tg| {
            for i in 0..N {
                tg.spawn_parallel(async move {
                    black_box(i);
                });
            }
        });
    })
    .measure(N);
}
