//! The runtime half of `anyio`.
mod backend;
mod error;
mod resource;
mod run;
mod scope;
mod task;
mod testing;
mod time;
mod util;

pub mod __private;
pub use backend::{
    Backend, NoBackendError, RunError, Smol, Tokio, UnknownBackendError, all_backends,
    available_backends,
};
pub use error::*;
pub use resource::*;
pub use run::run;
pub use scope::*;
pub use task::*;
pub use time::*;
