//! Hashing one file on worker threads, a piece at a time.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyio::to_thread;
use sha2::{Digest as _, Sha256};

use crate::report::Report;

/// How much is read and hashed in one go: long enough not to notice the hop to the thread, short enough for
/// a timeout to get in between.
const PIECE: usize = 1 << 20;

/// The SHA-256 of a file.
pub(crate) async fn hash_file(path: &Path, report: &Report) -> io::Result<[u8; 32]> {
    let path = path.to_owned();
    let mut work = to_thread::run_sync(move || Work::open(&path)?.step()).await?;
    while !work.done {
        report.read(work.last);
        work = to_thread::run_sync(move || work.step()).await?;
    }
    report.read(work.last);
    Ok(work.hasher.finalize().into())
}

/// A file that is being hashed; goes to a thread and comes back.
struct Work {
    file: File,
    hasher: Sha256,
    buffer: Vec<u8>,
    /// How much the last step has read.
    last: usize,
    done: bool,
}

impl Work {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // Small files get a small buffer. The length is a hint only: the file may be growing.
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(PIECE);
        let buffer = vec![0; length.saturating_add(1).clamp(4096, PIECE)];
        Ok(Self {
            file,
            hasher: Sha256::new(),
            buffer,
            last: 0,
            done: false,
        })
    }

    /// Reads and hashes one piece.
    fn step(mut self) -> io::Result<Self> {
        self.last = 0;
        while self.last < PIECE {
            match self.file.read(&mut self.buffer) {
                Ok(0) => {
                    self.done = true;
                    break;
                }
                Ok(n) => {
                    self.hasher.update(&self.buffer[..n]);
                    self.last += n;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self)
    }
}
