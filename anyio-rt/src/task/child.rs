//! A child's memory: the header and a slot for the future and then for what it left.

#![allow(unsafe_code)] // the slot is a union, and the functions behind the vtable get erased pointers

use std::cell::UnsafeCell;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, offset_of};
use std::panic::Location;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::header::{Header, Step, VTable};
use super::mode::Mode;
use super::shared::Shared;
use super::state::State;
use crate::util::catch::{Payload, catch};
use crate::util::report;

/// A child of a group of mode `M`, running `F`.
#[repr(C)]
struct Child<F, V, E> {
    header: Header,
    slot: UnsafeCell<Slot<F, V, E>>,
}

/// What is in it depends on the phase in the header: the future while there is none.
#[repr(C)]
union Slot<F, V, E> {
    future: ManuallyDrop<F>,
    value: ManuallyDrop<V>,
    error: ManuallyDrop<E>,
    empty: (),
}

/// Makes a child that the group polls.
pub(super) fn new<F, M>(
    future: F,
    shared: &Arc<Shared>,
    state: State,
    location: &'static Location<'static>,
) -> NonNull<Header>
where
    F: Future,
    M: Mode<F::Output>,
{
    let slot = Slot::<F, M::Value, M::Error> {
        future: ManuallyDrop::new(future),
    };
    boxed(
        slot,
        state,
        const { &OfFuture::<F, M>::VTABLE },
        shared,
        location,
    )
}

/// Makes a child that a task of the backend polls: the slot is only for what it leaves. One reference for
/// the driver, one for that task.
pub(super) fn new_elsewhere<F, M>(
    shared: &Arc<Shared>,
    location: &'static Location<'static>,
) -> NonNull<Header>
where
    F: Future,
    M: Mode<F::Output>,
{
    let slot = Slot::<(), M::Value, M::Error> { empty: () };
    let state = State::idle_with_handle(2);
    boxed(
        slot,
        state,
        const { &OfTask::<F, M>::VTABLE },
        shared,
        location,
    )
}

fn boxed<F, V, E>(
    slot: Slot<F, V, E>,
    state: State,
    vtable: &'static VTable,
    shared: &Arc<Shared>,
    location: &'static Location<'static>,
) -> NonNull<Header> {
    let header = Header::new(state, vtable, location);
    header.set_shared(Arc::as_ptr(shared));
    let child = Box::new(Child {
        header,
        slot: UnsafeCell::new(slot),
    });
    NonNull::from(Box::leak(child)).cast()
}

/// The slot of a child, as a place for a `T`.
///
/// # Safety
///
/// `this` is alive and came from this file, so that its header lies at the start of its child.
pub(super) unsafe fn slot<T>(this: NonNull<Header>) -> NonNull<T> {
    // SAFETY: the vtable says where the slot of this very type of child is, inside the same allocation.
    unsafe { this.byte_add(this.as_ref().vtable().slot).cast() }
}

/// Writes what a future gave into the slot.
///
/// # Safety
///
/// The slot is empty, was made for `M`, and nobody else touches it.
pub(super) unsafe fn keep<T, M: Mode<T>>(this: NonNull<Header>, output: T) -> Step {
    match M::split(output) {
        Ok(value) => {
            // SAFETY: a slot made for `M` has room for its value, and is empty.
            unsafe { slot::<M::Value>(this).write(value) };
            Step::Value
        }
        Err(error) => {
            // SAFETY: the same for its error.
            unsafe { slot::<M::Error>(this).write(error) };
            Step::Failed
        }
    }
}

/// The vtable of a child that holds its future.
struct OfFuture<F, M>(PhantomData<(F, M)>);

impl<F, M> OfFuture<F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        drop_future: Self::drop_future,
        drop_value: drop_value::<M::Value>,
        free: free::<F, M::Value, M::Error>,
        slot: offset_of!(Child<F, M::Value, M::Error>, slot),
        body: false,
        parallel: false,
        type_name: std::any::type_name::<F>,
    };

    unsafe fn poll(this: NonNull<Header>, cx: &mut Context<'_>) -> Step {
        let polled = catch(|| {
            // SAFETY: the slot holds the future (the caller's promise), at an address that does not change
            // until the future is dropped in place: pinned.
            let future = unsafe { Pin::new_unchecked(slot::<F>(this).as_mut()) };
            future.poll(cx)
        });
        match polled {
            Ok(Poll::Pending) => Step::Pending,
            Ok(Poll::Ready(output)) => {
                // SAFETY: the future is still in the slot.
                match unsafe { Self::drop_future(this) } {
                    // SAFETY: the slot has just been emptied, and is one for `M`.
                    None => unsafe { keep::<F::Output, M>(this, output) },
                    Some(payload) => {
                        drop_quietly(output, this);
                        Step::Panicked(payload)
                    }
                }
            }
            Err(payload) => {
                // SAFETY: the future is still in the slot.
                if let Some(further) = unsafe { Self::drop_future(this) } {
                    note_further(&further, this);
                }
                Step::Panicked(payload)
            }
        }
    }

    unsafe fn drop_future(this: NonNull<Header>) -> Option<Payload> {
        // SAFETY: the slot holds the future, by the caller's promise; it is not looked at again.
        catch(|| unsafe { ptr::drop_in_place(slot::<F>(this).as_ptr()) }).err()
    }
}

/// The vtable of a child whose future is in a task of the backend.
struct OfTask<F, M>(PhantomData<(F, M)>);

impl<F, M> OfTask<F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    const VTABLE: VTable = VTable {
        poll: |_, _| unreachable!("a parallel child is polled by its own task"),
        drop_future: |_| unreachable!("a parallel child is dropped by its own task"),
        drop_value: drop_value::<M::Value>,
        free: free::<(), M::Value, M::Error>,
        slot: offset_of!(Child<(), M::Value, M::Error>, slot),
        body: false,
        parallel: true,
        type_name: std::any::type_name::<F>,
    };
}

unsafe fn drop_value<V>(this: NonNull<Header>) {
    // SAFETY: the slot holds the value, by the caller's promise.
    let dropped = catch(|| unsafe { ptr::drop_in_place(slot::<V>(this).as_ptr()) });
    if let Err(payload) = dropped {
        note_further(&payload, this);
    }
}

unsafe fn free<F, V, E>(this: NonNull<Header>) {
    // SAFETY: made by `boxed` with these very types; nobody knows it any more. Dropping the box drops the
    // header; the slot is a union and stays as it is.
    drop(unsafe { Box::from_raw(this.cast::<Child<F, V, E>>().as_ptr()) });
}

/// Drops something of the user's where a panic has nowhere to go.
fn drop_quietly<T>(thing: T, this: NonNull<Header>) {
    if let Err(payload) = catch(|| drop(thing)) {
        note_further(&payload, this);
    }
}

fn note_further(payload: &Payload, this: NonNull<Header>) {
    // SAFETY: every caller in this file has a reference of the child.
    let location = unsafe { this.as_ref() }.location();
    report::further_panic(crate::util::catch::text(payload), location);
}
