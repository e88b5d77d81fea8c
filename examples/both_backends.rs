//! One library function on two runtimes.
//!
//! ```text
//! cargo run --example both_backends
//! ```
//!
//! What to look at: `checksums` mentions no runtime, neither in its signature nor in its body. Which one it
//! runs on is said where the program starts.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyio::{Backend, ErrorGroup, task_group, to_thread};

/// What a library could offer: the sums of all bytes of some files, read at once, within a time limit.
async fn checksums(paths: &[PathBuf], limit: Duration) -> Result<Vec<u64>, ErrorGroup<io::Error>> {
    task_group!(|tg| -> Result<Vec<u64>, io::Error> {
        let sums: Vec<_> = paths
            .iter()
            .map(|path| tg.spawn(async move { anyio::fail_after(limit, checksum(path)).await? }))
            .collect();
        let mut all = Vec::with_capacity(sums.len());
        for sum in sums {
            all.push(sum.await);
        }
        Ok(all)
    })
}

async fn checksum(path: &Path) -> io::Result<u64> {
    let path = path.to_owned();
    let bytes = to_thread::run_sync(move || std::fs::read(path)).await?;
    Ok(bytes.iter().copied().map(u64::from).sum())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = ["Cargo.toml", "LICENSE-MIT", "src/lib.rs"].map(|name| root.join(name));
    let mut answers = Vec::new();
    for name in anyio::available_backends() {
        let backend: Backend = name.parse()?;
        let sums = anyio::run(backend, checksums(&paths, Duration::from_secs(5)))??;
        println!("{name}: {sums:?}");
        answers.push(sums);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));

    let missing = [root.join("no such file")];
    let errors = anyio::run(
        Backend::default(),
        checksums(&missing, Duration::from_secs(5)),
    )?;
    println!("{}", errors.unwrap_err());
    Ok(())
}
