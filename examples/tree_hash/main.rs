//! Hashes every file below a folder, as `sha256sum` would.
//!
//! ```text
//! cargo run --release --example tree_hash -- PATH [--backend tokio|smol] [--jobs N] [--timeout SECONDS]
//! ```
//!
//! Lines on the standard output are those of `sha256sum`, in the order in which files are done (so
//! `sha256sum --check` reads them); progress and problems go to the standard error. Ctrl-C cancels the
//! work, prints what is done, and ends with status 130; problems give status 1.
//!
//! What to look at: one task group, in which a walker and a fixed number of hashers borrow a [`Report`]
//! from `main`; a timeout around each file; the cancel scope that Ctrl-C cancels; blocking work on worker
//! threads, a piece at a time, so that timeouts and Ctrl-C get in between.

mod args;
mod hash;
mod report;
mod walk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyio::{Cancelled, cancel_scope, fail_after, finally, task_group};

use args::Args;
use report::Report;

/// How many files may be found before one of them is hashed.
const AHEAD: usize = 1024;

fn main() -> ExitCode {
    let args = match Args::from_command_line() {
        Ok(args) => args,
        Err(problem) => {
            eprintln!("tree_hash: {problem}");
            eprintln!("{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let report = Report::new();
    match anyio::run(args.backend.clone(), hash_tree(&args, &report)) {
        Ok(Ok(())) if report.problems() == 0 => ExitCode::SUCCESS,
        Ok(Ok(())) => ExitCode::FAILURE,
        Ok(Err(_interrupted)) => ExitCode::from(130),
        Err(error) => {
            eprintln!("tree_hash: {error}");
            ExitCode::from(2)
        }
    }
}

/// Hashes all files below `args.path`, until done or until Ctrl-C.
async fn hash_tree(args: &Args, report: &Report) -> Result<(), Cancelled> {
    cancel_scope!(|interrupt| {
        let handler = interrupt.clone();
        // A second Ctrl-C does not wait for anything.
        let handled = ctrlc::set_handler(move || {
            if handler.cancel_called() {
                std::process::exit(130);
            }
            handler.cancel_because("Ctrl-C");
        });
        if let Err(error) = handled {
            report.problem(
                Path::new("-"),
                &format!("Ctrl-C will not be graceful: {error}"),
            );
        }
        finally!({ all_files(args, report).await }, { report.finish() });
    })
}

async fn all_files(args: &Args, report: &Report) {
    let (found, files) = async_channel::bounded::<PathBuf>(AHEAD);
    task_group!(name = "tree_hash", |tg| {
        let bar = tg.spawn(report.show_progress());
        let hashers: Vec<_> = (0..args.jobs)
            .map(|_| tg.spawn(hasher(files.clone(), args.timeout, report)))
            .collect();
        // `found` goes with the walk; then the hashers see the end of the queue.
        walk::walk(&args.path, found, report).await;
        for hasher in hashers {
            hasher.await;
        }
        bar.cancel();
    });
}

/// Hashes files from the queue until it ends.
async fn hasher(files: async_channel::Receiver<PathBuf>, timeout: Duration, report: &Report) {
    while let Ok(path) = files.recv().await {
        match fail_after!(timeout, { hash::hash_file(&path, report).await }) {
            Ok(Ok(digest)) => report.hashed(&path, &digest),
            Ok(Err(error)) => report.problem(&path, &error.to_string()),
            Err(_timed_out) => report.problem(&path, &format!("took longer than {timeout:?}")),
        }
    }
}
