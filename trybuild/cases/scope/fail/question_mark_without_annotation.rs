//! `?` needs the annotation here too.

use anyio::cancel_scope;

async fn scope(text: &str) {
    let _ = cancel_scope!(|scope| {
        scope.cancel();
        text.parse::<u32>()?
    });
}

fn main() {}
