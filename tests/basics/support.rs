//! What several of the modules need.

use std::time::Duration;

use anyio::{Backend, checkpoint, sleep, sleep_forever, task_group, to_thread};

pub(crate) const LONG: Duration = Duration::from_secs(3600);
pub(crate) const SHORT: Duration = Duration::from_millis(2);

/// All backends, with default options and on one thread.
pub(crate) fn backends() -> Vec<Backend> {
    compiled_in([
        Backend::tokio().into(),
        Backend::tokio().current_thread().into(),
        Backend::tokio().worker_threads(2).into(),
        Backend::smol().into(),
        Backend::smol().threads(1).into(),
        Backend::smol().threads(3).into(),
    ])
}

/// Those of `backends` that are compiled in.
pub(crate) fn compiled_in<const N: usize>(backends: [Backend; N]) -> Vec<Backend> {
    let there = |backend: &Backend| anyio::available_backends().contains(&backend.name());
    backends.into_iter().filter(there).collect()
}

/// Something of everything.
pub(crate) async fn work() -> u32 {
    sleep(Duration::from_micros(100)).await;
    let timed_out = anyio::move_on_after!(1ms, { sleep_forever().await });
    assert!(timed_out.is_none());
    task_group!(|tg| {
        let a = tg.spawn(async {
            checkpoint().await;
            1
        });
        let b = tg.spawn_parallel(async {
            checkpoint().await;
            2
        });
        let c = to_thread::run_sync(|| 3).await;
        a.await + b.await + c
    })
}
