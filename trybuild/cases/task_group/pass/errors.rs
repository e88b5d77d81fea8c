//! Errors by value, boxed and by alias; children return early with `?`.

use std::error::Error;
use std::{io, num};

use anyio::{ErrorGroup, task_group};

type BoxError = Box<dyn Error + Send + Sync>;

async fn boxed(texts: &[&str]) -> Result<u32, BoxError> {
    let sum = task_group!(|tg| -> Result<u32, BoxError> {
        let parsed: Vec<_> = texts
            .iter()
            .map(|text| {
                tg.spawn(async move {
                    let n: u32 = text.parse()?;
                    if n > 100 {
                        return Err("too large".into());
                    }
                    Ok(n)
                })
            })
            .collect();
        let mut sum = 0;
        for n in parsed {
            sum += n.await;
        }
        if sum == 0 {
            return Err(io::Error::other("nothing").into());
        }
        Ok(sum + "1".parse::<u32>()?)
    })?;
    Ok(sum)
}

async fn alias() -> Result<(), ErrorGroup<io::Error>> {
    task_group!(|tg| -> io::Result<()> {
        tg.spawn(async { Ok(()) });
        tg.spawn(async { Ok(1) });
        Ok(())
    })
}

async fn first() -> Result<(), num::ParseIntError> {
    let result = task_group!(|tg| -> Result<_, num::ParseIntError> {
        tg.spawn(async { "x".parse::<u32>() });
        Ok(())
    });
    result.map_err(ErrorGroup::into_first)
}

fn main() {
    anyio::run(anyio::Backend::default(), async {
        assert_eq!(boxed(&["1", "2"]).await.unwrap(), 4);
        assert!(boxed(&["1", "x", "101"]).await.unwrap_err().to_string().contains("2 errors"));
        alias().await.unwrap();
        first().await.unwrap_err();
    })
    .unwrap();
}
