//! Models of a child: the ready queue, the wake-up of a dropped child, the handle's slot, who frees it.
//!
//! The model's `Member` stands for a child: the real state word and link, a slot that loom watches, and
//! flags that say what became of it. `wake`, `end` and `drop_handle` do what `task/shared.rs`,
//! `task/handle.rs` and `task/header.rs` do, call by call.

use std::ptr::NonNull;

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicBool;
use loom::sync::{Arc, Notify};
use loom::thread;

use crate::task::ready::{Linked, Pushed, Stack};
use crate::task::state::{Phase, State};
use crate::util::sync::{AtomicPtr, AtomicUsize, Ordering};

struct Member {
    state: State,
    next: AtomicPtr<Member>,
    slot: UnsafeCell<Option<u32>>,
    values_dropped: AtomicUsize,
    freed: AtomicBool,
}

impl Linked for Member {
    fn next(&self) -> &AtomicPtr<Self> {
        &self.next
    }

    fn state(&self) -> &State {
        &self.state
    }
}

impl Member {
    fn new(state: State) -> Self {
        Self {
            state,
            next: AtomicPtr::new(std::ptr::null_mut()),
            slot: UnsafeCell::new(None),
            values_dropped: AtomicUsize::new(0),
            freed: AtomicBool::new(false),
        }
    }

    /// Whoever looks at a member must find it alive.
    fn assert_alive(&self) {
        assert!(
            !self.freed.load(Ordering::Relaxed),
            "used after it was freed"
        );
    }

    fn free(&self) {
        assert!(!self.freed.swap(true, Ordering::AcqRel), "freed twice");
    }

    fn release(&self) {
        self.assert_alive();
        if self.state.release() {
            self.free();
        }
    }

    fn put_value(&self, value: u32) {
        // SAFETY: loom checks that nobody else is at the slot.
        self.slot.with_mut(|slot| unsafe { *slot = Some(value) });
    }

    fn drop_value(&self) {
        // SAFETY: loom checks that nobody else is at the slot.
        let value = self.slot.with_mut(|slot| unsafe { (*slot).take() });
        assert!(value.is_some(), "the value was dropped or taken before");
        self.values_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// A group with one member, and the driver's waker.
struct Group {
    stack: Stack<Member>,
    member: Member,
    woken: Notify,
}

// SAFETY: the slot is watched by loom; all else is atomic.
unsafe impl Send for Group {}
// SAFETY: as above.
unsafe impl Sync for Group {}

impl Group {
    fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            stack: Stack::new(),
            member: Member::new(state),
            woken: Notify::new(),
        })
    }

    /// As `Shared::wake` on another thread than the owner's.
    fn wake(&self) {
        let member = &self.member;
        member.assert_alive();
        if !member.state.queue() {
            return;
        }
        // SAFETY: in no stack, since `queue` said so, and the group outlives the model.
        match unsafe { self.stack.push(NonNull::from(member)) } {
            Pushed::First => self.woken.notify(),
            Pushed::More => {}
            Pushed::Refused { release: true } => member.release(),
            Pushed::Refused { release: false } => {}
        }
    }

    /// As `Shared::let_go`: the member ends with a value, and the driver gives its reference up.
    fn end(&self) {
        let member = &self.member;
        if member.state.is_exclusive() && !member.state.look().queued() {
            member.drop_value();
            member.free();
            return;
        }
        let seen = member.state.finish(Phase::Value);
        if !seen.handle() {
            member.drop_value();
        }
        if !seen.queued() {
            member.release();
        }
    }

    /// As the end of a drive: nothing gets in any more, and what was on its way is let go.
    fn close(&self) {
        for member in self.stack.close() {
            // SAFETY: in the stack, hence alive.
            let member = unsafe { member.as_ref() };
            member.assert_alive();
            if member.state.unqueue().dead() {
                member.release();
            }
        }
    }

    /// As `TaskHandle::drop`.
    fn drop_handle(&self) {
        let member = &self.member;
        member.assert_alive();
        if member.state.drop_handle(|| member.drop_value()) {
            member.free();
        }
    }

    fn assert_freed(&self) {
        assert!(self.member.freed.load(Ordering::Relaxed), "leaked");
    }
}

/// For models too large for all interleavings: those with up to three forced switches of threads.
fn bounded_model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[test]
fn every_push_arrives_once_and_somebody_wakes_the_driver() {
    bounded_model(|| {
        struct Queue {
            stack: Stack<Member>,
            members: [Member; 2],
            woken: Notify,
        }
        // SAFETY: nobody looks at the slots in this model.
        unsafe impl Send for Queue {}
        // SAFETY: as above.
        unsafe impl Sync for Queue {}

        let queue = Arc::new(Queue {
            stack: Stack::new(),
            members: [0, 1].map(|_| Member::new(State::idle_with_handle(1))),
            woken: Notify::new(),
        });
        let pushers: Vec<_> = [0, 1]
            .map(|n| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    assert!(queue.members[n].state.queue());
                    // SAFETY: in no stack, and outlives the model.
                    let pushed = unsafe { queue.stack.push(NonNull::from(&queue.members[n])) };
                    if pushed == Pushed::First {
                        queue.woken.notify();
                    }
                })
            })
            .into();
        let mut arrived = 0;
        while arrived < 2 {
            // Hangs, which loom reports, if a push is not followed by a wake.
            queue.woken.wait();
            for member in queue.stack.take() {
                // SAFETY: outlives the model.
                assert!(!unsafe { member.as_ref() }.state.unqueue().dead());
                arrived += 1;
            }
        }
        for pusher in pushers {
            pusher.join().unwrap();
        }
        assert!(queue.stack.is_empty());
    });
}

#[test]
fn a_wake_races_the_end_of_the_child_and_of_the_group() {
    loom::model(|| {
        let group = Group::new(State::idle_with_handle(2)); // the driver's reference and a waker's
        group.member.put_value(7);
        let waker = {
            let group = Arc::clone(&group);
            thread::spawn(move || {
                group.wake();
                group.wake();
                group.member.release();
            })
        };
        group.end();
        group.close();
        group.drop_handle();
        waker.join().unwrap();
        group.close();
        group.assert_freed();
        assert_eq!(group.member.values_dropped.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn two_wakers_race_the_end() {
    bounded_model(|| {
        let group = Group::new(State::idle_with_handle(3));
        group.member.put_value(7);
        group.drop_handle();
        let wakers: Vec<_> = [0, 1]
            .map(|_| {
                let group = Arc::clone(&group);
                thread::spawn(move || {
                    group.wake();
                    group.member.release();
                })
            })
            .into();
        group.end();
        group.close();
        for waker in wakers {
            waker.join().unwrap();
        }
        group.assert_freed();
        assert_eq!(group.member.values_dropped.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_handle_goes_while_the_child_ends() {
    loom::model(|| {
        let group = Group::new(State::idle_with_handle(1));
        let holder = {
            let group = Arc::clone(&group);
            thread::spawn(move || group.drop_handle())
        };
        group.member.put_value(7);
        group.end();
        group.close();
        holder.join().unwrap();
        group.assert_freed();
        assert_eq!(group.member.values_dropped.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_handle_takes_the_value_once_it_sees_the_phase() {
    loom::model(|| {
        let group = Group::new(State::idle_with_handle(1));
        let holder = {
            let group = Arc::clone(&group);
            thread::spawn(move || {
                let member = &group.member;
                let mut taken = false;
                if member.state.look().settled() == Some(Phase::Value) {
                    // SAFETY: loom checks that the driver is done with the slot.
                    taken = member
                        .slot
                        .with_mut(|slot| unsafe { (*slot).take() })
                        .is_some();
                    assert!(taken);
                }
                let last = member.state.drop_handle(|| {
                    if !taken {
                        member.drop_value();
                    }
                });
                if last {
                    member.free();
                }
                taken
            })
        };
        group.member.put_value(7);
        group.end();
        group.close();
        let taken = holder.join().unwrap();
        group.assert_freed();
        let dropped = group.member.values_dropped.load(Ordering::Relaxed);
        assert_eq!(dropped + usize::from(taken), 1);
    });
}

#[test]
fn a_parallel_child_ends_while_the_group_goes_away() {
    loom::model(|| {
        let group = Group::new(State::idle_with_handle(2)); // the driver's reference and the task's
        let task = {
            let group = Arc::clone(&group);
            thread::spawn(move || {
                // As `parallel::finish`.
                let member = &group.member;
                member.put_value(7);
                let seen = member.state.finish_elsewhere(Phase::Value);
                if !seen.handle() {
                    member.drop_value();
                }
                if !seen.orphan() {
                    group.wake();
                }
                member.release();
            })
        };
        // As `Drive::drop`: the body goes, with the handle; then the child is abandoned.
        group.drop_handle();
        for member in group.stack.close() {
            // SAFETY: in the stack, hence alive.
            let member = unsafe { member.as_ref() };
            assert!(!member.state.unqueue().dead());
        }
        let seen = group.member.state.abandon();
        if !seen.queued() {
            group.member.release();
        }
        task.join().unwrap();
        group.assert_freed();
        assert_eq!(group.member.values_dropped.load(Ordering::Relaxed), 1);
    });
}
