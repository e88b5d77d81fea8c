//! `#[anyio::main]`.

use crate::support::work;

mod mains {
    use super::*;

    #[anyio::main]
    pub(super) async fn plain() -> u32 {
        work().await
    }

    #[anyio::main(backend = tokio(flavor = "current_thread"))]
    pub(super) async fn current_thread() -> u32 {
        work().await
    }

    #[anyio::main(backend = tokio(worker_threads = 2))]
    pub(super) async fn workers() -> u32 {
        work().await
    }

    #[anyio::main(backend = smol)]
    pub(super) async fn smol() -> Result<u32, std::num::ParseIntError> {
        let n = "6".parse::<u32>()?;
        assert_eq!(work().await, n);
        if n > 5 {
            return Ok(n);
        }
        Ok(0)
    }

    #[anyio::main(backend = smol(threads = 2))]
    pub(super) async fn fails() -> Result<(), std::num::ParseIntError> {
        "x".parse::<u32>()?;
        Ok(())
    }
}

#[cfg(all(feature = "tokio", feature = "smol"))]
#[test]
fn main_runs_on_the_backend_it_names_and_gives_what_its_body_gives() {
    assert_eq!(mains::plain(), 6);
    assert_eq!(mains::current_thread(), 6);
    assert_eq!(mains::workers(), 6);
    assert_eq!(mains::smol(), Ok(6));
    assert!(mains::fails().is_err());
}

#[anyio::test]
#[should_panic(expected = "is already running in this thread")]
async fn main_inside_a_run_panics_and_says_why() {
    mains::plain();
}
