//! Manual: docs/manual/tasks.md
//!
//! Random programs of groups, scopes, shields, clean-ups, `start`, handles and parallel children, dropped from
//! outside after every number of polls. Whatever they make is counted, and has to be gone before what it borrows
//! is.
//!
//! `ANYIO_SEED=17 cargo test --test dropping` runs one program only.

mod program;
mod run;
mod world;

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use program::Program;
use world::World;

/// No program takes more polls than this.
const MOST_POLLS: usize = 5_000;

fn seeds(range: Range<u64>) -> Range<u64> {
    match std::env::var("ANYIO_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("a number");
            seed..seed + 1
        }
        Err(_) => range,
    }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One poll; a program that panics has ended.
fn poll(running: &mut Running, cx: &mut Context<'_>) -> Poll<()> {
    catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))
}

/// Drops a program. The panic of a parallel child that the program has not seen yet comes out here.
fn end(running: Running) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(running)));
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a program up to `most` times, by hand, and drops it. Gives the number of polls.
fn by_hand(program: &'static Program, most: usize) -> usize {
    let world = World::new();
    let mut running = run::start(program, &world);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut polls = 0;
    while polls < most {
        let wakes = woken.0.load(Ordering::SeqCst);
        polls += 1;
        if poll(&mut running, &mut cx).is_ready() {
            break;
        }
        // Nobody else is there to wake it later.
        assert_ne!(
            wakes,
            woken.0.load(Ordering::SeqCst),
            "{program} waits for nothing after poll {polls}"
        );
        assert!(polls < MOST_POLLS, "{program} does not end");
    }
    drop(running);
    world.assert_empty(&format!("{program} dropped after poll {polls}"));
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1, "{program} keeps a waker");
    polls
}

#[test]
fn programs_dropped_at_each_of_their_suspensions_leave_nothing() {
    for seed in seeds(0..400) {
        let program = Program::random(seed, false);
        let polls = by_hand(program, usize::MAX);
        for most in 0..polls {
            by_hand(program, most);
        }
    }
}

/// More polls than the program asks for change nothing but the number of polls.
#[test]
fn programs_that_are_polled_for_no_reason_leave_nothing() {
    for seed in seeds(0..400) {
        let program = Program::random(seed, false);
        let world = World::new();
        let mut running = run::start(program, &world);
        let mut cx = Context::from_waker(Waker::noop());
        let mut polls = 0;
        // The wakers of this one go nowhere, so that all progress is by polls that nobody asked for.
        while poll(&mut running, &mut cx).is_pending() {
            polls += 1;
            assert!(polls < MOST_POLLS, "{program} does not end");
        }
        drop(running);
        world.assert_empty(&format!("{program} polled without a reason"));
    }
}

/// Runs a program on the backend to its end. Gives the number of polls.
async fn to_its_end(program: &'static Program) -> usize {
    let world = World::new();
    let mut running = run::start(program, &world);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        poll(&mut running, cx)
    })
    .await;
    end(running);
    world.assert_empty(&format!("{program} run to its end"));
    world.wait_for_parallel().await;
    polls
}

/// Polls a program `most` times on the backend, and drops it.
async fn cut_short(program: &'static Program, most: usize) {
    let world = World::new();
    let mut running = run::start(program, &world);
    let mut polls = 0;
    poll_fn(|cx| {
        if polls == most {
            return Poll::Ready(());
        }
        polls += 1;
        // It may wait for a parallel child: look again soon.
        cx.waker().wake_by_ref();
        poll(&mut running, cx)
    })
    .await;
    end(running);
    world.assert_empty(&format!("{program} dropped after poll {polls}"));
    world.wait_for_parallel().await;
}

#[anyio::test(
    backends = [tokio, tokio(flavor = "current_thread"), smol, smol(threads = 1)],
    timeout = 60s
)]
async fn programs_with_parallel_children_dropped_at_each_poll_leave_nothing() {
    for seed in seeds(1_000..1_100) {
        let program = Program::random(seed, true);
        let polls = to_its_end(program).await;
        for most in 0..polls {
            cut_short(program, most).await;
        }
    }
}
