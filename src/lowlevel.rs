//! Checkpoints: the points where a cancellation is noticed and others get to run.
//!
//! Every asynchronous operation of this crate is one. These are for code that has none of its own.

pub use anyio_rt::{
    CancelShieldedCheckpoint, Checkpoint, CheckpointIfCancelled, cancel_shielded_checkpoint,
    checkpoint, checkpoint_if_cancelled,
};
