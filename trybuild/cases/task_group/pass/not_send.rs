//! What is not `Send` is for `local_task_group!`.

use std::cell::RefCell;
use std::rc::Rc;

use anyio::{checkpoint, local_task_group};

async fn local() -> usize {
    let shared = Rc::new(RefCell::new(Vec::new()));
    let borrowed = RefCell::new(0);
    local_task_group!(|tg| {
        for n in 0..3 {
            let shared = Rc::clone(&shared);
            tg.spawn(async move {
                checkpoint().await;
                shared.borrow_mut().push(n);
            });
        }
        tg.spawn(async { *borrowed.borrow_mut() += 1 });
        tg.spawn(async { Rc::new(1) }).await;
        tg.spawn_parallel(async {}).await;
    });
    let length = shared.borrow().len();
    length + borrowed.into_inner()
}

fn main() {
    assert_eq!(anyio::run(anyio::Backend::default(), local()).unwrap(), 4);
}
