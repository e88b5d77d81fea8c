//! What expansions of the macros may name. Exempt from semantic versioning; not for use by hand.

pub use crate::task::{Fallible, Group, Local, Plain, Threaded};
use crate::task::{Drive, DriveMode, TaskGroup};
use std::panic::Location;
use std::future::Future;

#[must_use]
#[track_caller]
pub fn group<T, M, S>() -> Group<T, M, S> {
    Group::new(None, false, Location::caller())
}
#[must_use]
pub fn plain<T>(group: &Group<T, Plain, Threaded>) -> TaskGroup<'_, T, Plain, Threaded> { group.handle() }
#[must_use]
pub fn fallible<T, E>(group: &Group<T, Fallible<E>, Threaded>) -> TaskGroup<'_, T, Fallible<E>, Threaded> { group.handle() }
pub fn drive<'s, T, M: DriveMode<T>, S, B: Future<Output = M::Body>>(tg: TaskGroup<'s, T, M, S>, body: B) -> Drive<'s, T, M, S, B> { Group::drive(tg, body) }
