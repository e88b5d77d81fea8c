//! A backend has a thread.

#[anyio::main(backend = smol(threads = 0))]
async fn main() {}
