//! `cancel_scope!` hands the scope to a closure.

use anyio::cancel_scope;

async fn scope() {
    let _ = cancel_scope!({ std::future::ready(()).await });
}

fn main() {}
