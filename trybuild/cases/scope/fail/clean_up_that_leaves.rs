//! A clean-up runs to its end.

use anyio::finally;

async fn work(text: &str) -> Result<u32, std::num::ParseIntError> {
    loop {
        let n = finally!({ text.parse::<u32>()? }, {
            if text.is_empty() {
                break Ok(0);
            }
            text.parse::<u32>()?;
        });
        return Ok(n);
    }
}

fn main() {}
