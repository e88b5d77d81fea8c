//! Generic functions and methods, with what they borrow.

use anyio::task_group;

trait Source: Sync {
    type Item: Send;

    fn fetch(&self, n: usize) -> impl Future<Output = Self::Item> + Send;
}

struct Squares;

impl Source for Squares {
    type Item = usize;

    async fn fetch(&self, n: usize) -> usize {
        n * n
    }
}

async fn all<S: Source>(source: &S, count: usize) -> Vec<S::Item> {
    task_group!(|tg| {
        let handles: Vec<_> = (0..count).map(|n| tg.spawn(source.fetch(n))).collect();
        let mut items = Vec::new();
        for handle in handles {
            items.push(handle.await);
        }
        items
    })
}

struct Service<T> {
    state: T,
}

impl<T: Send + Sync> Service<T> {
    async fn both<A: Send, B: Send>(&self, a: impl Fn(&T) -> A + Sync, b: impl Fn(&T) -> B + Sync) -> (A, B) {
        task_group!(|tg| {
            let a = tg.spawn(async { a(&self.state) });
            let b = tg.spawn(async { b(&self.state) });
            (a.await, b.await)
        })
    }
}

fn main() {
    let service = Service { state: 5 };
    anyio::run(anyio::Backend::default(), async {
        assert_eq!(all(&Squares, 3).await, [0, 1, 4]);
        assert_eq!(service.both(|n| n + 1, |n| n.to_string()).await, (6, "5".to_owned()));
    })
    .unwrap();
}
