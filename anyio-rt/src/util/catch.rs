//! Running code of the user's that may panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub(crate) type Payload = Box<dyn Any + Send + 'static>;

/// Runs `f`; a panic becomes its payload.
///
/// Unwind safety is asserted because whatever `f` touched is not looked at again except to be
/// dropped: the callers here drop the future, the value or the group that panicked.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// The text of a panic, where it has one.
pub(crate) fn text(payload: &Payload) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without text")
}
