//! The nearest backend is suggested.

#[anyio::main(backend = tokyo)]
async fn main() {}
