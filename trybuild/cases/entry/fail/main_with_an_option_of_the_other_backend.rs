//! Each backend has options of its own.

#[anyio::main(backend = smol(worker_threads = 2))]
async fn main() {}
