//! Timeouts: around what is ready, around a suspension, and for each further poll, at several depths.

use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use crate::harness::{Bench, yields};

const LIMIT: Duration = Duration::from_secs(5);

macro_rules! nested {
    (1, $timeout:path, $inside:expr) => {
        $timeout(LIMIT, $inside)
    };
    (4, $timeout:path, $inside:expr) => {
        nested!(
            1,
            $timeout,
            nested!(
                1,
                $timeout,
                nested!(1, $timeout, nested!(1, $timeout, $inside))
            )
        )
    };
    (16, $timeout:path, $inside:expr) => {
        nested!(
            4,
            $timeout,
            nested!(
                4,
                $timeout,
                nested!(4, $timeout, nested!(4, $timeout, $inside))
            )
        )
    };
}

macro_rules! rows {
    ($bench:expr, $name:expr, $repeat:expr, $operations:expr, $inside:expr) => {
        rows!(@ 1, $bench, $name, $repeat, $operations, $inside);
        rows!(@ 4, $bench, $name, $repeat, $operations, $inside);
        rows!(@ 16, $bench, $name, $repeat, $operations, $inside);
    };
    (@ $depth:tt, $bench:expr, $name:expr, $repeat:expr, $operations:expr, $inside:expr) => {
        if let Some(row) = $bench.row(format!("{}, depth {}", $name, stringify!($depth))) {
            row.add("tokio::time::timeout", || async {
                for _ in 0..$repeat {
                    sink(nested!($depth, tokio::time::timeout, $inside)).await;
                }
            })
            .add("anyio", || async {
                for _ in 0..$repeat {
                    sink(nested!($depth, anyio::fail_after, $inside)).await;
                }
            })
            .measure($operations);
        }
    };
}

async fn sink<F: Future>(future: F) {
    black_box(future.await);
}

pub fn run(bench: &Bench) {
    rows!(
        bench,
        "timeout around a ready future",
        2_000,
        2_000,
        std::future::ready(())
    );
    rows!(bench, "timeout around one yield", 2_000, 2_000, yields(1));
    if let Some(row) = bench.row("raw poll") {
        row.add("yield", || async {
            for _ in 0..20 {
                yields(200).await;
            }
        })
        .measure(20 * 200);
    }
    rows!(
        bench,
        "each further poll under timeouts",
        20,
        20 * 200,
        yields(200)
    );
}
