//! Parallel children: tasks of the backend that belong to a group.
//!
//! Such a child is polled by its own task; the group has only its header and the slot for what it leaves.
//! The group's cancellation is mirrored in the header by the driver (`DOOMED`), which also wakes the task.

#![allow(unsafe_code)] // owns a reference of a child and writes its slot

use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project::{pin_project, pinned_drop};

use super::child;
use super::handle::TaskHandle;
use super::header::{Header, Step};
use super::mode::Mode;
use super::shared::Shared;
use super::state::Phase;
use crate::backend::Env;
use crate::scope::frame::{self, Frame};
use crate::util::catch::{self, Payload, catch};
use crate::util::report;
use crate::util::sync::lock;

/// Starts `future` as a task of the backend and a child of the group.
#[track_caller]
pub(super) fn spawn<'scope, F, M>(
    future: F,
    shared: &'scope Arc<Shared>,
    location: &'static Location<'static>,
) -> TaskHandle<'scope, M::Value>
where
    F: Future + Send + 'static,
    M: Mode<F::Output> + 'static,
    M::Value: Send + 'static,
    M::Error: Send + 'static,
{
    let env = match Env::current() {
        Ok(env) => env,
        Err(error) => panic!("`spawn_parallel` starts a task, but {error}"),
    };
    let child = child::new_elsewhere::<F, M>(shared, location);
    if shared.node().cancelled() {
        // The driver would tell it in its next poll, but the task may run before that.
        // SAFETY: just made.
        unsafe { child.as_ref() }.state.set_doomed(true);
    }
    env.task_started();
    let task = Task::<F, M> {
        child,
        env: Some(env.clone()),
        future: Some(future),
        mode: PhantomData,
    };
    // SAFETY: just made for this group: one reference goes to the driver, one is in `task`, one is the
    // handle's. It leaves values of `M`.
    let handle = unsafe {
        shared.insert_parallel(child);
        TaskHandle::new(child)
    };
    // After it is in the group: it may end at once.
    env.spawn(task);
    handle
}

/// The task that polls a parallel child.
#[pin_project(PinnedDrop)]
struct Task<F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    child: NonNull<Header>,
    env: Option<Env>,
    /// Until it has ended.
    #[pin]
    future: Option<F>,
    mode: PhantomData<fn() -> M>,
}

// SAFETY: beside the future it has a reference of a child, whose state is atomic, and the right to write
// its slot; what it writes there (`spawn` asks) is `Send`.
unsafe impl<F: Future + Send, M: Mode<F::Output>> Send for Task<F, M> {}

impl<F, M> Future for Task<F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        // SAFETY: alive by our reference.
        let header = unsafe { this.child.as_ref() };
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let knew = header.state.look().cancelled();
        let polled = Env::enter(this.env, || {
            let frame = Frame::new(header);
            frame::enter(&frame, || catch(|| future.poll(cx)))
        });
        let phase = match polled {
            Ok(Poll::Ready(output)) => match catch(|| this.future.set(None)) {
                // SAFETY: our child, made for `M`; its slot is empty until we write it, once.
                Ok(()) => match unsafe { child::keep::<F::Output, M>(*this.child, output) } {
                    Step::Failed => Phase::Failed,
                    _ => Phase::Value,
                },
                Err(payload) => panicked(header, payload),
            },
            Ok(Poll::Pending) => {
                *lock(&header.make_extra().task) = Some(cx.waker().clone());
                if let Some(node) = header.node() {
                    node.park(cx.waker());
                }
                // After leaving the waker: a cancellation before it found none.
                let told = header.state.look().cancelled();
                let cancelled = told && !header.held();
                if !cancelled && !header.unwound() {
                    if told && !knew {
                        // What holds may have looked before, and there was no waker yet to tell it.
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                match catch(|| this.future.set(None)) {
                    Ok(()) => Phase::Cancelled,
                    Err(payload) => panicked(header, payload),
                }
            }
            Err(payload) => {
                if let Err(further) = catch(|| this.future.set(None)) {
                    report::further_panic(catch::text(&further), header.location());
                }
                panicked(header, payload)
            }
        };
        // SAFETY: ended here and now; the slot is as `phase` says.
        unsafe { finish::<M::Error>(*this.child, phase) };
        Poll::Ready(())
    }
}

/// A task that its runtime drops before it has ended counts as cancelled.
#[pinned_drop]
impl<F, M> PinnedDrop for Task<F, M>
where
    F: Future,
    M: Mode<F::Output>,
{
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.future.is_some() {
            // SAFETY: alive by our reference.
            let header = unsafe { this.child.as_ref() };
            let phase = match catch(|| this.future.set(None)) {
                Ok(()) => Phase::Cancelled,
                Err(payload) => panicked(header, payload),
            };
            // SAFETY: not ended before; the slot is empty, as `phase` says.
            unsafe { finish::<M::Error>(*this.child, phase) };
        }
        if let Some(env) = this.env.take() {
            env.task_ended();
        }
        // SAFETY: our reference, which nobody uses after this.
        unsafe { Header::release(*this.child) };
    }
}

fn panicked(header: &Header, payload: Payload) -> Phase {
    *lock(&header.make_extra().payload) = Some(payload);
    Phase::Panicked
}

/// Tells the group that the child has ended.
///
/// # Safety
///
/// The caller polled the child, has a reference of it, and calls this once; the slot is as `phase` says,
/// an error being of type `E`.
unsafe fn finish<E>(child: NonNull<Header>, phase: Phase) {
    // SAFETY: alive by the caller's reference.
    let header = unsafe { child.as_ref() };
    if let Some(node) = header.node() {
        node.end(true);
    }
    let seen = header.state.finish_elsewhere(phase);
    if phase == Phase::Value && !seen.handle() {
        // SAFETY: the value is in the slot, and ours (state.rs, invariant 3).
        unsafe { (header.vtable().drop_value)(child) };
    }
    if !seen.orphan() {
        // SAFETY: alive by the caller's reference.
        unsafe { Shared::wake(child) };
        return;
    }
    // The group is gone: nobody else will ever look at what the child left.
    match phase {
        Phase::Value | Phase::Cancelled => {}
        Phase::Failed => {
            // SAFETY: the error is in the slot, and the driver that would have taken it is gone.
            let error = unsafe { child::slot::<E>(child).read() };
            if let Err(payload) = catch(|| drop(error)) {
                report::further_panic(catch::text(&payload), header.location());
            }
        }
        Phase::Panicked => {
            if let Some(payload) = header.extra().and_then(|extra| lock(&extra.payload).take()) {
                report::further_panic(catch::text(&payload), header.location());
            }
        }
    }
}
