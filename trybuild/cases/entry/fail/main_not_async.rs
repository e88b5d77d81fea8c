//! `main` is async.

#[anyio::main]
fn main() {}
