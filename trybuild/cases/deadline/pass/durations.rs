//! Literals of every unit, and expressions.

#![deny(warnings)]

use std::time::{Duration, Instant};

use anyio::{fail_after, fail_at, move_on_after, move_on_at};

fn limit() -> Duration {
    Duration::from_secs(1)
}

async fn durations() {
    const LIMIT: Duration = Duration::from_secs(1);
    assert_eq!(move_on_after!(1s, { 1 }), Some(1));
    assert_eq!(move_on_after!(1.5s, { 2 }), Some(2));
    assert_eq!(move_on_after!(250ms, { 3 }), Some(3));
    assert_eq!(move_on_after!(1e3s, { 4 }), Some(4));
    assert_eq!(move_on_after!(900_000us, { 5 }), Some(5));
    assert_eq!(move_on_after!(1min, { 6 }), Some(6));
    assert_eq!(move_on_after!(1h, { 7 }), Some(7));
    assert_eq!(move_on_after!(2d, { 8 }), Some(8));
    assert_eq!(move_on_after!(2 * 5s, { 9 }), Some(9));
    assert_eq!(move_on_after!(LIMIT, { 10 }), Some(10));
    assert_eq!(move_on_after!(limit() + 5ms, { 11 }), Some(11));
    assert_eq!(move_on_after!(0s, { 12 }), Some(12));
    assert_eq!(move_on_after!(Duration::MAX, { 13 }), Some(13));
    assert_eq!(move_on_at!(Instant::now() + LIMIT, { 14 }), Some(14));
    assert_eq!(fail_at!(Instant::now(), { 15 }).unwrap(), 15);
    assert_eq!(fail_after!(reason = "why", shield = true, 1s, { 16 }).unwrap(), 16);
    assert_eq!(fail_after!(reason = String::new(), 1s, async { 17 }).unwrap(), 17);
}

fn main() {
    anyio::run(anyio::Backend::default(), durations()).unwrap();
}
