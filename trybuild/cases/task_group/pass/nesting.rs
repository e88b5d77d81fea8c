//! Groups in groups; inner children await outer handles and spawn into outer groups.

use anyio::task_group;

async fn nest(text: &str) -> usize {
    task_group!(|outer| {
        let length = outer.spawn(async { text.len() });
        let twice = task_group!(|inner| {
            outer.spawn(async {});
            inner.spawn(async { length.await * 2 }).await
        });
        task_group!(|a| {
            a.spawn(async {
                task_group!(|b| {
                    b.spawn(async { a.spawn(async {}).await });
                })
            });
        });
        twice
    })
}

fn main() {
    assert_eq!(anyio::run(anyio::Backend::default(), nest("four")).unwrap(), 8);
}
