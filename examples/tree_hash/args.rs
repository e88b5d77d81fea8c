//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyio::Backend;

pub(crate) const USAGE: &str =
    "usage: tree_hash PATH [--backend tokio|smol] [--jobs N] [--timeout SECONDS]";

pub(crate) struct Args {
    pub(crate) path: PathBuf,
    pub(crate) backend: Backend,
    pub(crate) jobs: usize,
    pub(crate) timeout: Duration,
}

impl Args {
    pub(crate) fn from_command_line() -> Result<Self, String> {
        use lexopt::prelude::*;

        let mut path = None;
        let mut backend = Backend::default();
        let mut jobs = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 2);
        let mut timeout = Duration::from_secs(60);
        let mut parser = lexopt::Parser::from_env();
        let text = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Long("backend") => {
                    let name = parser
                        .value()
                        .and_then(|name| name.string())
                        .map_err(text)?;
                    backend = name
                        .parse()
                        .map_err(|error: anyio::UnknownBackendError| error.to_string())?;
                }
                Long("jobs") => {
                    jobs = parser.value().and_then(|jobs| jobs.parse()).map_err(text)?;
                    if jobs == 0 {
                        return Err("--jobs 0 would never get anything done".into());
                    }
                }
                Long("timeout") => {
                    let seconds: f64 = parser
                        .value()
                        .and_then(|seconds| seconds.parse())
                        .map_err(text)?;
                    timeout = Duration::try_from_secs_f64(seconds)
                        .map_err(|error| format!("--timeout {seconds}: {error}"))?;
                }
                Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
                other => return Err(other.unexpected().to_string()),
            }
        }
        let path = path.ok_or("which folder?")?;
        Ok(Self {
            path,
            backend,
            jobs,
            timeout,
        })
    }
}
