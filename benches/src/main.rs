//! `anyio` beside its peers: the rows of the project's budgets, measured in one process.
//!
//! ```text
//! cargo run --release -p anyio-benches [-- [--rounds N] [part of a row's name, or its end and `$`]]
//! ```
//!
//! Rounds are interleaved (every contestant once, then again), medians are shown, allocations counted. A
//! ratio is to the first contestant of its row, from the same rounds; ratios carry to other machines,
//! nanoseconds do not.

#![allow(clippy::disallowed_methods)] // the peers are measured as they are used

mod allocations;
mod harness;
mod parallel;
mod size;
mod spawn;
mod timeouts;
mod yields;

use harness::Bench;

fn main() {
    let bench = Bench::from_args();
    println!(
        "medians of {} interleaved rounds; ns per operation (allocations per operation)\n",
        bench.rounds
    );
    spawn::run(&bench);
    yields::run(&bench);
    parallel::run(&bench);
    size::run(&bench);
    spawn::cancel(&bench);
    timeouts::run(&bench);
    spawn::growth(&bench);
}
