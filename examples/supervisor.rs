//! A supervisor: restarts workers that fail, and shuts down gracefully.
//!
//! ```text
//! cargo run --example supervisor
//! ```
//!
//! Three workers take jobs; one of them fails now and then and is started again after a pause that grows. When
//! the time is over, the group is cancelled: each worker finishes the job at hand (a shield), writes its
//! journal (a clean-up), and only then the group ends.
//!
//! What to look at: `move_on_after!` around the whole, `shield!` around one job, `finally!` around a worker,
//! and that nothing is left running after the group.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyio::{checkpoint, finally, move_on_after, shield, sleep, task_group};

/// What the workers share, by borrowing.
#[derive(Default)]
struct Shop {
    next_job: AtomicU32,
    done: AtomicU32,
    half_done: AtomicU32,
    journal: Mutex<Vec<String>>,
}

#[anyio::main]
async fn main() {
    let shop = Shop::default();
    let timed_out = move_on_after!(200ms, {
        task_group!(name = "shop", |tg| {
            for name in ["anna", "bert", "clara"] {
                tg.spawn(supervise(name, &shop)).named(name);
            }
        })
    });
    assert!(timed_out.is_none(), "the workers never end by themselves");

    // The group has ended, so the borrows have: `shop` is ours again.
    println!(
        "{} jobs done, {} left half done",
        shop.done.into_inner(),
        shop.half_done.into_inner()
    );
    for line in shop.journal.into_inner().expect("no panics") {
        println!("  {line}");
    }
}

/// Runs a worker, again and again if it fails, with pauses that double.
async fn supervise(name: &str, shop: &Shop) {
    let mut pause = Duration::from_millis(5);
    loop {
        match worker(name, shop).await {
            Ok(()) => return,
            Err(error) => {
                println!("{name} failed ({error}); again in {pause:?}");
                sleep(pause).await;
                pause *= 2;
            }
        }
    }
}

/// Takes jobs until it fails or is cancelled; writes its journal either way.
async fn worker(name: &str, shop: &Shop) -> Result<(), String> {
    let mut jobs = 0;
    finally!(
        {
            loop {
                // The place to be cancelled at: a loop of nothing but shields would never end.
                checkpoint().await;
                let job = shop.next_job.fetch_add(1, Ordering::Relaxed);
                if name == "bert" && job % 7 == 3 {
                    return Err(format!("no tool for job {job}"));
                }
                // A job that was begun is finished, whatever happens.
                shield!({
                    shop.half_done.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(8)).await;
                    shop.half_done.fetch_sub(1, Ordering::Relaxed);
                });
                shop.done.fetch_add(1, Ordering::Relaxed);
                jobs += 1;
            }
        },
        {
            sleep(Duration::from_millis(2)).await; // a slow disk
            shop.journal
                .lock()
                .expect("no panics")
                .push(format!("{name} went home after {jobs} jobs"));
        }
    )
}
