//! Parts without a room of their own: no scopes, no tasks, no backends in here.

pub(crate) mod budget;
pub(crate) mod catch;
pub(crate) mod ids;
pub(crate) mod name;
pub(crate) mod report;
pub(crate) mod sync;
pub(crate) mod thread_id;
pub(crate) mod waker_id;
