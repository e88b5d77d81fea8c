//! Inside `#[async_trait]`, whose futures are boxed and `Send`.

use anyio::{fail_after, finally, shielded, task_group};
use async_trait::async_trait;

#[async_trait]
trait Service {
    async fn run(&self, names: &[String]) -> Result<usize, String>;
    async fn commit(&mut self) -> u32;
}

struct Mine(u32);

#[async_trait]
impl Service for Mine {
    async fn run(&self, names: &[String]) -> Result<usize, String> {
        let total = fail_after!(1s, {
            if names.is_empty() {
                return Err("no names".into());
            }
            finally!({
                task_group!(|tg| {
                    let lengths: Vec<_> = names.iter().map(|name| tg.spawn(async { name.len() })).collect();
                    let mut total = 0;
                    for length in lengths {
                        total += length.await;
                    }
                    total
                })
            }, { anyio::checkpoint().await })
        });
        total.map_err(|error| error.to_string())
    }

    #[shielded]
    async fn commit(&mut self) -> u32 {
        anyio::checkpoint().await;
        self.0 += 1;
        self.0
    }
}

fn main() {
    anyio::run(anyio::Backend::default(), async {
        let mut service: Box<dyn Service + Send> = Box::new(Mine(1));
        assert_eq!(service.run(&["ada".into()]).await, Ok(3));
        assert_eq!(service.run(&[]).await, Err("no names".into()));
        assert_eq!(service.commit().await, 2);
    })
    .unwrap();
}
