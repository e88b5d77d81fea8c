//! Children borrow, shared and exclusively, and their handles give what they borrow.

use anyio::task_group;

fn is_send<T: Send>(future: T) -> T {
    future
}

async fn borrow(names: &[String]) -> usize {
    let mut log = Vec::new();
    let mut count = 0;
    let longest = task_group!(|tg| {
        tg.spawn(async { log.push("a child") });
        tg.spawn(async { count += 1 });
        let longest = tg.spawn(async { names.iter().max_by_key(|name| name.len()) });
        longest.await
    });
    log.len() + count + longest.map_or(0, |name| name.len())
}

fn main() {
    let names = ["ada".to_owned(), "grace".to_owned()];
    let future = is_send(borrow(&names));
    assert_eq!(anyio::run(anyio::Backend::default(), future).unwrap(), 7);
}
