//! What is told while the work goes on, and at its end.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shared, by borrowing, between all tasks.
pub(crate) struct Report {
    started: Instant,
    files: AtomicUsize,
    bytes: AtomicU64,
    problems: Mutex<Vec<String>>,
    terminal: bool,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            files: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            problems: Mutex::new(Vec::new()),
            terminal: io::stderr().is_terminal(),
        }
    }

    pub(crate) fn problems(&self) -> usize {
        self.problems.lock().expect("no panics").len()
    }

    /// Bytes were read.
    pub(crate) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A file is done.
    pub(crate) fn hashed(&self, path: &Path, digest: &[u8; 32]) {
        self.files.fetch_add(1, Ordering::Relaxed);
        let line = line(path, digest);
        // One write a line, so that a reader never sees half of one.
        if let Err(error) = io::stdout().lock().write_all(&line)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.problem(path, &format!("could not be printed: {error}"));
        }
    }

    /// A file or folder could not be read.
    pub(crate) fn problem(&self, path: &Path, problem: &str) {
        let text = format!("{}: {problem}", path.display());
        self.problems.lock().expect("no panics").push(text);
    }

    /// Shows a line of progress until it is cancelled, if there is somebody to see it.
    pub(crate) async fn show_progress(&self) {
        if !self.terminal {
            return;
        }
        loop {
            anyio::sleep(Duration::from_millis(100)).await;
            eprint!("\r\x1b[K{}", self.status());
        }
    }

    /// The end: what was done, and all problems.
    pub(crate) fn finish(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
        let problems = self.problems.lock().expect("no panics");
        eprintln!("{}, {} problems", self.status(), problems.len());
        for problem in problems.iter() {
            eprintln!("  {problem}");
        }
    }

    fn status(&self) -> String {
        let files = self.files.load(Ordering::Relaxed);
        let megabytes = self.bytes.load(Ordering::Relaxed) as f64 / 1e6;
        let seconds = self.started.elapsed().as_secs_f64();
        format!(
            "{files} files, {megabytes:.1} MB in {seconds:.1} s ({:.0} MB/s)",
            megabytes / seconds.max(0.001)
        )
    }
}

/// A line as `sha256sum` writes it. Names with a backslash, a line feed or a carriage return are escaped,
/// which a backslash in front of the line says.
fn line(path: &Path, digest: &[u8; 32]) -> Vec<u8> {
    let name = path.as_os_str().as_bytes();
    let escape = name
        .iter()
        .any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = Vec::with_capacity(name.len() + 68);
    if escape {
        line.push(b'\\');
    }
    let hex = digest
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a string");
            hex
        });
    line.extend(hex.as_bytes());
    line.extend(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend(b"\\\\"),
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
    line
}
