//! Cancellation: dropping at a suspension point, unless something holds.
//!
//! A cancel scope wraps a future. When the scope is cancelled and what is inside returns `Pending` with
//! nothing in it holding on, the scope drops it and reports that it was cancelled. No error value
//! travels through the code in between, so every future in the world can be cancelled.
//!
//! What decides:
//!
//! * *Results first.* The inside is polled before it is judged. What is ready is never thrown away.
//! * *Reach.* A cancellation reaches everything inside its region up to the next shield
//!   ([`frame::Frame::reach`]). It stays in force: each suspension it reaches is cancelled.
//! * *Holding.* Shields and catchers that are pending, and groups with members that cannot be dropped
//!   yet, hold the regions around them; those keep polling ([`node`]).
//! * *Absorbing.* Of several cancelled regions the outermost that is visible absorbs: an inner one
//!   stays pending and is dropped with the rest. That is judged when it is about to end.

pub(crate) mod alarm;
mod cancel_scope;
mod cancelled;
mod catch;
mod checkpoint;
mod deadline;
pub(crate) mod frame;
mod handle;
pub(crate) mod node;
mod reason;
mod shield;
mod timeout;

pub use cancel_scope::{CancelScope, Scoped};
pub use cancelled::Cancelled;
pub use catch::{CatchCancelled, ResumeCancelled, catch_cancelled, resume_cancelled};
pub use catch::{Pending, Settle, Settled, settle};
pub(crate) use checkpoint::Gate;
pub use checkpoint::{
    CancelShieldedCheckpoint, Checkpoint, CheckpointIfCancelled, cancel_shielded_checkpoint,
    checkpoint, checkpoint_if_cancelled,
};
pub use deadline::{EffectiveDeadline, current_effective_deadline};
pub use handle::ScopeHandle;
pub(crate) use reason::Reason;
pub use shield::{Shielded, shield};
pub use timeout::{
    FailAfter, MoveOn, TimeoutError, fail_after, fail_at, move_on_after, move_on_at,
};
