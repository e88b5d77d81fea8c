//! So is the nearest option.

#[anyio::main(backnd = tokio)]
async fn main() {}
