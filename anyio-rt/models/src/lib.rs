//! The files of `anyio-rt` that threads share, compiled against loom's atomics and locks.
//!
//! They import those from `crate::util::sync` and nowhere else, so that nothing in them is written for the
//! models. Each model runs every interleaving that loom can tell apart.
//!
//! ```text
//! cargo test --release -p anyio-models
//! ```

#![allow(dead_code, missing_docs)] // the files are `anyio-rt`'s; only what the models need is used here
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod scope;
mod task;

#[cfg(test)]
mod child;
#[cfg(test)]
mod region;

pub(crate) mod util {
    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{
            AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        };
        pub(crate) use loom::sync::{Mutex, MutexGuard};

        pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
            mutex.lock().expect("models do not panic with a lock held")
        }
    }
}
