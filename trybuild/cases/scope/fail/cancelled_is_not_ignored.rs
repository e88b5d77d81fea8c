//! What a scope gives has to be looked at.

#![deny(unused_must_use)]

use anyio::cancel_scope;

async fn scope() {
    cancel_scope!(|scope| scope.cancel());
}

fn main() {}
