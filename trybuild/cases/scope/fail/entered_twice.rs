//! A scope is entered once.

use anyio::CancelScope;

async fn twice() {
    let scope = CancelScope::new();
    let _ = scope.run(async {}).await;
    let _ = scope.run(async {}).await;
}

fn main() {}
