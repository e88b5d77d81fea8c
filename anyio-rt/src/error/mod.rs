//! Errors that belong to no single room.

mod group;

pub use group::{ErrorGroup, Iter};
