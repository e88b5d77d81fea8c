//! With a backend and options, and a result.

#[anyio::main(backend = smol(threads = 2))]
async fn main() -> Result<(), std::num::ParseIntError> {
    let n: u32 = "2".parse()?;
    assert_eq!(n, 2);
    if n == 3 {
        return Ok(());
    }
    Ok(())
}
