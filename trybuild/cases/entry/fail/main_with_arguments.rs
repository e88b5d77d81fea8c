//! `main` takes nothing.

#[anyio::main]
async fn main(name: String) {
    println!("{name}");
}
