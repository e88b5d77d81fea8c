//! Models of a region's shared state: no cancellation and no end of a hold goes unnoticed.
//!
//! The polling side does what `CancelScope`'s future does at the end of a poll: link, leave the waker, then
//! look. The other side changes something. Afterwards either the polling side has seen it, or it was woken.

use std::sync::Arc;
use std::task::{Wake, Waker};

use loom::sync::atomic::AtomicBool;
use loom::thread;

use crate::scope::node::{Kind, Node};
use crate::scope::reason::Reason;
use crate::util::sync::Ordering;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

fn flag() -> (Arc<Flag>, Waker) {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    (Arc::clone(&flag), Waker::from(flag))
}

#[test]
fn a_cancel_is_seen_or_wakes() {
    loom::model(|| {
        let node = Node::new(Kind::Passing, false);
        let (woken, waker) = flag();
        let canceller = {
            let node = Arc::clone(&node);
            thread::spawn(move || assert!(node.cancel(|| Reason)))
        };
        node.park(&waker);
        let seen = node.cancelled();
        canceller.join().unwrap();
        assert!(seen || woken.0.load(Ordering::Acquire));
        assert!(node.reason().is_some());
    });
}

#[test]
fn a_cancel_reaches_a_catcher_that_is_just_being_linked() {
    loom::model(|| {
        let scope = Node::new(Kind::Passing, false);
        let catcher = Node::new(Kind::Catcher, false);
        let (_, outer) = flag();
        let (woken, inner) = flag();
        let canceller = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || {
                scope.cancel(|| Reason);
            })
        };
        // The end of a poll of the catcher, then of the scope around it.
        catcher.link(Some(&scope));
        catcher.park(&inner);
        let seen = scope.cancelled();
        scope.park(&outer);
        canceller.join().unwrap();
        assert!(seen || woken.0.load(Ordering::Acquire));
        assert!(scope.held());
        catcher.end(true);
        scope.end(true);
    });
}

#[test]
fn only_the_first_of_two_cancels_counts() {
    loom::model(|| {
        let node = Node::new(Kind::Passing, false);
        let other = {
            let node = Arc::clone(&node);
            thread::spawn(move || node.cancel(|| Reason))
        };
        let mine = node.cancel(|| Reason);
        let theirs = other.join().unwrap();
        assert!(mine != theirs, "one of them was first");
    });
}

#[test]
fn the_end_of_a_hold_elsewhere_is_seen_or_wakes() {
    loom::model(|| {
        // A scope that is cancelled waits for a shielded future, which somebody has taken elsewhere and
        // drops now.
        let scope = Node::new(Kind::Passing, false);
        let shield = Node::new(Kind::Passing, true);
        shield.link(Some(&scope));
        scope.cancel(|| Reason);
        let (woken, waker) = flag();
        let dropper = {
            let shield = Arc::clone(&shield);
            thread::spawn(move || shield.end(false))
        };
        scope.park(&waker);
        let held = scope.held();
        dropper.join().unwrap();
        assert!(!held || woken.0.load(Ordering::Acquire));
        assert!(!scope.held());
        scope.end(true);
    });
}

#[test]
fn a_hold_deep_inside_ends_while_the_middle_moves_away() {
    loom::model(|| {
        let from = Node::new(Kind::Passing, false);
        let to = Node::new(Kind::Passing, false);
        let middle = Node::new(Kind::Passing, false);
        let shield = Node::new(Kind::Passing, true);
        shield.link(Some(&middle));
        middle.link(Some(&from));
        assert!(from.held());
        let dropper = {
            let shield = Arc::clone(&shield);
            thread::spawn(move || shield.end(false))
        };
        middle.link(Some(&to));
        dropper.join().unwrap();
        assert!(!from.held());
        assert!(!middle.held());
        assert!(!to.held());
        middle.end(true);
    });
}

#[test]
fn a_shield_goes_on_and_off_while_what_it_holds_ends() {
    loom::model(|| {
        let outer = Node::new(Kind::Passing, false);
        let scope = Node::new(Kind::Passing, true);
        scope.link(Some(&outer));
        assert!(outer.held());
        let switcher = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || {
                scope.set_shield(false);
                scope.set_shield(true);
            })
        };
        scope.end(true);
        switcher.join().unwrap();
        assert!(!outer.held());
    });
}

#[test]
fn switching_a_shield_off_is_seen_or_wakes() {
    loom::model(|| {
        let scope = Node::new(Kind::Passing, true);
        let (woken, waker) = flag();
        let switcher = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.set_shield(false))
        };
        scope.park(&waker);
        let shielded = scope.shielded();
        switcher.join().unwrap();
        assert!(!shielded || woken.0.load(Ordering::Acquire));
    });
}

#[test]
fn what_unwinds_lifts_a_shield_that_was_switched_on_after() {
    loom::model(|| {
        let outer = Node::new(Kind::Passing, false);
        let scope = Node::new(Kind::Passing, false);
        let done = Node::new(Kind::Unwinding, false);
        scope.link(Some(&outer));
        let switcher = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.set_shield(true))
        };
        done.link(Some(&scope));
        switcher.join().unwrap();
        assert!(scope.unwound());
        assert!(outer.unwound());
        assert!(!outer.held(), "nothing holds any more");
        done.end(true);
        assert!(outer.held(), "without it the shield holds again");
        scope.end(true);
    });
}

#[test]
fn a_new_deadline_is_seen_or_wakes() {
    loom::model(|| {
        let node = Node::new(Kind::Passing, false);
        let (woken, waker) = flag();
        let mover = {
            let node = Arc::clone(&node);
            thread::spawn(move || node.set_deadline(None))
        };
        node.park(&waker);
        let seen = node.take_retimed().is_some();
        mover.join().unwrap();
        assert!(seen || woken.0.load(Ordering::Acquire));
        assert!(seen || node.take_retimed().is_some());
    });
}
