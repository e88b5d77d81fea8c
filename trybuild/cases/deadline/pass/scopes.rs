//! With `|scope|` the body is a function of its own and has the scope.

#![deny(warnings)]

use anyio::{fail_after, move_on_after, sleep_forever};

async fn scopes() {
    let ended = move_on_after!(1h, |scope| {
        scope.set_deadline(anyio::current_time());
        sleep_forever().await;
    });
    assert!(ended.is_none());
    let parsed = fail_after!(1s, |_scope| -> Result<u32, std::num::ParseIntError> {
        if false {
            return Ok(1);
        }
        Ok("5".parse::<u32>()?)
    });
    assert_eq!(parsed.unwrap(), Ok(5));
    let ended = fail_after!(1h, |scope| {
        scope.cancel_because("by hand");
        sleep_forever().await;
    });
    assert!(!ended.unwrap_err().is_deadline());
}

fn main() {
    anyio::run(anyio::Backend::default(), scopes()).unwrap();
}
