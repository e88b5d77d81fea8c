//! A panic for a mistake of the caller is reported where the caller is.
#![cfg(all(feature = "tokio", feature = "smol"))] // mistakes with either are in the list

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;

use anyio::Backend;
use futures::executor::block_on;

/// Where the last panic was reported: file and line.
static REPORTED: Mutex<Option<(String, u32)>> = Mutex::new(None);

/// One test for all, since the hook is one a process.
#[test]
fn panics_for_mistakes_of_the_caller_are_reported_at_the_call() {
    let hook = take_hook();
    set_hook(Box::new(|info| {
        let at = info.location().map(|at| (at.file().to_owned(), at.line()));
        *REPORTED.lock().unwrap() = at;
    }));
    let mut wrong = Vec::new();
    for (name, line, mistake) in mistakes() {
        *REPORTED.lock().unwrap() = None;
        let panicked = catch_unwind(AssertUnwindSafe(mistake)).is_err();
        let reported = REPORTED.lock().unwrap().take();
        if !panicked || reported.as_ref() != Some(&(file!().to_owned(), line)) {
            wrong.push(format!(
                "{name}: expected at line {line}, reported at {reported:?}"
            ));
        }
    }
    set_hook(hook);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

type Mistake = (&'static str, u32, Box<dyn FnOnce()>);

/// Each with the line it is on.
#[rustfmt::skip]
#[allow(clippy::let_underscore_future)] // none of them gets so far as to be one
fn mistakes() -> Vec<Mistake> {
    macro_rules! mistake {
        ($name:literal, $mistake:expr) => {
            mistake!($name, line!(), $mistake)
        };
        ($name:literal, $line:expr, $mistake:expr) => {
            ($name, $line, Box::new(|| { let _ = $mistake; }) as Box<dyn FnOnce()>)
        };
    }
    vec![
        mistake!("no threads for tokio", Backend::tokio().worker_threads(0)),
        mistake!("no threads for smol", Backend::smol().threads(0)),
        mistake!("many current threads", Backend::tokio().current_thread().worker_threads(2)),
        mistake!("the time without a backend", anyio::current_time()),
        mistake!("as_completed of nothing", anyio::as_completed(no_tasks())),
        mistake!("a limit of 0", anyio::amap_limited(0, [1], double)),
        mistake!("a limit of 0, fallible", anyio::try_amap_limited(0, [1], try_double)),
        mistake!("a main inside a run", MAIN_LINE, anyio::run(Backend::smol(), async { inner_main() })),
        mistake!("a parallel task without a backend", SPAWN_LINE, block_on(parallel())),
    ]
}

fn no_tasks() -> Vec<anyio::TaskHandle<'static, ()>> {
    Vec::new()
}

async fn double(n: u32) -> u32 {
    n * 2
}

async fn try_double(n: u32) -> Result<u32, ()> {
    Ok(n * 2)
}

// The attribute is the caller.
const MAIN_LINE: u32 = line!() + 1;
#[anyio::main]
async fn inner_main() {}

const SPAWN_LINE: u32 = line!() + 3;
async fn parallel() {
    anyio::task_group!(|tg| {
        tg.spawn_parallel(async {});
    });
}
