//! Manual: docs/manual/contextmanagers.md

mod finally;
mod resources;
mod with;
