//! Helpers take the group or its spawner, generic over what the group gives and how it fails.

use std::sync::atomic::{AtomicU32, Ordering};

use anyio::{Fallible, LocalTaskGroup, Spawner, TaskGroup, TaskHandle, local_task_group, task_group};

async fn plain(tg: TaskGroup<'_>) {
    tg.spawn(async {});
}

async fn with_value<T>(tg: TaskGroup<'_, T>, value: T) {
    tg.finish(value);
}

fn borrowing<'scope>(tasks: Spawner<'scope>, n: &'scope AtomicU32) -> TaskHandle<'scope, u32> {
    tasks.spawn(async { n.fetch_add(1, Ordering::Relaxed) })
}

fn failing<E: Send + 'static>(tasks: Spawner<'_, Fallible<E>>, error: E) {
    tasks.spawn(async { Err::<(), E>(error) });
}

fn local(tg: LocalTaskGroup<'_>) {
    tg.spawn(async {});
}

fn children(tasks: Spawner<'_>, futures: Vec<impl Future<Output = ()> + Send + 'static>) {
    for future in futures {
        tasks.spawn(future);
    }
}

async fn all() {
    let n = AtomicU32::new(0);
    task_group!(|tg| {
        plain(tg).await;
        borrowing(tg.spawner(), &n).await;
        children(*tg, vec![std::future::ready(())]);
    });
    let value = task_group!(|tg| {
        with_value(tg, 5).await;
        anyio::sleep_forever().await;
        0
    });
    assert_eq!(value, 5);
    let result = task_group!(|tg| -> Result<(), &str> {
        failing(tg.spawner(), "no");
        Ok(())
    });
    assert_eq!(result.unwrap_err().into_first(), "no");
    local_task_group!(|tg| local(tg));
}

fn main() {
    anyio::run(anyio::Backend::default(), all()).unwrap();
}
