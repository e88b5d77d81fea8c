//! The future of a group is `Send` if what it borrows is.

use anyio::{checkpoint, finally, move_on_after, shield, task_group};

async fn service(name: String) -> usize {
    let mut log = vec![name.clone()];
    task_group!(|tg| {
        tg.spawn(async {
            shield!({ log.push("shielded".into()) });
            finally!({ checkpoint().await }, { log.push("clean".into()) });
        });
        tg.spawn(async { move_on_after!(1s, { name.len() }) });
        checkpoint().await;
    });
    log.len()
}

#[tokio::main]
async fn main() {
    assert_eq!(tokio::spawn(service("tokio".into())).await.unwrap(), 3);
}
