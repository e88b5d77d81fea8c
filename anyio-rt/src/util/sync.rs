//! The synchronisation primitives that the modelled files are written against.
//!
//! `scope/node.rs`, `task/ready.rs` and `task/state.rs` import from here and nowhere else, so that
//! `tests/loom.rs` of this crate can compile those very files against loom's versions.

pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Locks, ignoring poison: every critical section here leaves the data whole at each step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
