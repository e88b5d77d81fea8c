//! A function that opens a group and calls itself in it.

use std::pin::Pin;

use anyio::{Spawner, task_group};

fn fibonacci(n: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        task_group!(|tg| {
            let a = tg.spawn(fibonacci(n - 1));
            let b = tg.spawn(fibonacci(n - 2));
            a.await + b.await
        })
    })
}

/// One group, and children that spawn children.
fn visit<'scope>(tasks: Spawner<'scope>, depth: u32) -> Pin<Box<dyn Future<Output = ()> + Send + 'scope>> {
    Box::pin(async move {
        if depth > 0 {
            tasks.spawn(visit(tasks, depth - 1));
            tasks.spawn(visit(tasks, depth - 1));
        }
    })
}

fn main() {
    anyio::run(anyio::Backend::default(), async {
        assert_eq!(fibonacci(10).await, 55);
        task_group!(|tg| visit(*tg, 5).await);
    })
    .unwrap();
}
