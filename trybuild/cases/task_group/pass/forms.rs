//! Options, patterns, types and bodies of all kinds.

#![deny(warnings)]
#![forbid(unsafe_code)]

use anyio::{TaskGroup, task_group};

async fn nothing() {}

async fn forms(name: String) {
    task_group!(|_| {});
    task_group!(|_tg| nothing().await);
    task_group!(|tg: TaskGroup<'_, (), _>| {
        tg.spawn(async {});
    });
    task_group!(name = name, shield = false, |tg| {
        assert_eq!(tg.name().as_deref(), Some("given"));
        tg.spawn(async {});
    },);
    task_group!(name = format!("group {}", 1), |tg| tg.cancel());
    let n = task_group!(|tg| tg.spawn(async { 1 }).await);
    let m: u8 = task_group!(move |tg| -> Result<_, String> { Ok(tg.spawn(async { Ok(1) }).await + n) }).unwrap();
    assert_eq!(m, 2);
    task_group! { |tg| { tg.spawn(async {}); } }
}

fn main() {
    anyio::run(anyio::Backend::default(), forms("given".into())).unwrap();
}
