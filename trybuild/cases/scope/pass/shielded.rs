//! `#[shielded]` on functions of all kinds keeps their types.

#![deny(warnings)]

use std::fmt::Debug;

use anyio::shielded;

#[shielded]
async fn nothing() {}

/// With documentation.
#[shielded]
async fn question(text: &str) -> Result<u32, std::num::ParseIntError> {
    let n = text.parse::<u32>()?;
    if n == 0 {
        return Ok(1);
    }
    Ok(n)
}

#[shielded]
async fn generic<T: Debug + Clone>(value: &T, times: usize) -> Vec<T> {
    vec![value.clone(); times]
}

#[shielded]
async fn opaque(n: u32) -> impl Debug {
    n
}

struct Journal(Vec<u32>);

impl Journal {
    #[shielded]
    async fn add(&mut self, (a, b): (u32, u32)) -> &mut Self {
        self.0.extend([a, b]);
        self
    }
}

trait Commit {
    #[shielded]
    async fn commit(&self) -> u32 {
        5
    }
}

impl Commit for Journal {}

fn is_send<T: Send>(future: T) -> T {
    future
}

fn main() {
    anyio::run(anyio::Backend::default(), async {
        nothing().await;
        assert_eq!(is_send(question("0")).await, Ok(1));
        question("x").await.unwrap_err();
        assert_eq!(generic(&'a', 2).await, ['a', 'a']);
        assert_eq!(format!("{:?}", opaque(5).await), "5");
        let mut journal = Journal(vec![]);
        assert_eq!(journal.add((1, 2)).await.0.len(), 2);
        assert_eq!(journal.commit().await, 5);
    })
    .unwrap();
}
