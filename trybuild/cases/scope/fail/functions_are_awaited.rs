//! The function forms are futures, and do nothing by themselves.

#![deny(unused_must_use)]

use std::time::Duration;

use anyio::{catch_cancelled, checkpoint, fail_after, move_on_after, shield};

async fn forgotten() {
    move_on_after(Duration::ZERO, checkpoint());
    fail_after(Duration::ZERO, checkpoint());
    shield(checkpoint());
    catch_cancelled(checkpoint());
    anyio::sleep(Duration::ZERO);
    anyio::CancelScope::new();
}

fn main() {}
