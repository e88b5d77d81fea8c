//! Finding the files below a folder, links followed, as `find -L … -type f` does.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyio::to_thread;
use async_channel::Sender;

use crate::report::Report;

/// A folder, with the identities of the folders above it: a link back to one of these is a loop.
struct Folder {
    path: PathBuf,
    above: Vec<(u64, u64)>,
}

/// What is in a folder, in the order of names.
#[derive(Default)]
struct Listing {
    files: Vec<PathBuf>,
    folders: Vec<Folder>,
    problems: Vec<(PathBuf, String)>,
}

/// Sends all files below `start` to `found`.
pub(crate) async fn walk(start: &Path, found: Sender<PathBuf>, report: &Report) {
    let mut stack = Vec::new();
    match look(start.to_owned(), Vec::new()).await {
        Ok(listing) => take(listing, &mut stack, &found, report).await,
        Err(error) => report.problem(start, &error.to_string()),
    }
    while let Some(folder) = stack.pop() {
        let path = folder.path.clone();
        match to_thread::run_sync(move || list(&folder)).await {
            Ok(listing) => take(listing, &mut stack, &found, report).await,
            Err(error) => report.problem(&path, &error.to_string()),
        }
    }
}

async fn take(listing: Listing, stack: &mut Vec<Folder>, found: &Sender<PathBuf>, report: &Report) {
    for (path, problem) in listing.problems {
        report.problem(&path, &problem);
    }
    // The last folder pushed is the first listed.
    stack.extend(listing.folders.into_iter().rev());
    for file in listing.files {
        // The hashers outlive the walk unless everything is being cancelled.
        let _ = found.send(file).await;
    }
}

async fn look(path: PathBuf, above: Vec<(u64, u64)>) -> io::Result<Listing> {
    to_thread::run_sync(move || {
        let mut listing = Listing::default();
        sort(path, &above, &mut listing)?;
        Ok(listing)
    })
    .await
}

/// Lists a folder.
fn list(folder: &Folder) -> io::Result<Listing> {
    let mut entries = Vec::new();
    let mut listing = Listing::default();
    for entry in fs::read_dir(&folder.path)? {
        match entry {
            Ok(entry) => entries.push(entry.path()),
            Err(error) => listing
                .problems
                .push((folder.path.clone(), error.to_string())),
        }
    }
    entries.sort();
    for path in entries {
        if let Err(error) = sort(path.clone(), &folder.above, &mut listing) {
            listing.problems.push((path, error.to_string()));
        }
    }
    Ok(listing)
}

/// Puts what is at `path`, links followed, to where it belongs.
fn sort(path: PathBuf, above: &[(u64, u64)], listing: &mut Listing) -> io::Result<()> {
    let metadata = fs::metadata(&path)?;
    if metadata.is_file() {
        listing.files.push(path);
    } else if metadata.is_dir() {
        let identity = (metadata.dev(), metadata.ino());
        if above.contains(&identity) {
            let problem = "a loop of links: this is a folder above itself".to_owned();
            listing.problems.push((path, problem));
        } else {
            let above = above.iter().copied().chain([identity]).collect();
            listing.folders.push(Folder { path, above });
        }
    }
    Ok(())
}
