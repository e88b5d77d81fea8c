//! The part of a region that others can reach: the state machine of cancellation.
//!
//! A region (scope, shield, catcher, task group, member of a group) gets a [`Node`] when somebody
//! besides the future itself has to see it: a handle, or something inside that holds cancellation
//! off. No thread-local, no polling and no clock in here, so that it can be model-checked.
//!
//! # What is kept
//!
//! * `parent`: the node of the next region further out *that was on the stack when this one was last
//!   pending*. A future that moves to another task is linked anew at the start of its next poll, before anything
//!   inside it is polled ([`arrive`](super::frame::arrive)).
//! * `holds`: how many children give a hold, that is, must be polled on although everything around
//!   them is cancelled: a pending shield or catcher, a group with parallel children, or a region
//!   with such a thing inside.
//! * `unwinds`: how many children have had their clean-up and only wait to be dropped. They lift the
//!   hold of a shield that was switched on around them after they were cancelled.
//! * `gives`: what this node itself counts as in its parent, a function of the above ([`Links::due`]).
//!
//! # Invariants
//!
//! 1. `parent.holds` (`parent.unwinds`) is the number of linked children whose `gives.hold`
//!    (`gives.unwind`) is set; `gives` is changed only together with the parent's counts, under both
//!    locks.
//! 2. A child is in `parent.children` exactly while its `parent` says so. Children are `Weak`: a
//!    leaked future does not keep its node's memory, only its hold.
//! 3. `HELD`, `UNWOUND`, `OWN` and `SHIELDED` in `bits` change under the lock only.
//! 4. `CANCELLED` is never taken back, and `reason` is written before it is set, under the lock.
//!
//! # Locks
//!
//! Upwards, a child's lock is held while its parent's is taken ([`Node::publish`]). Downwards
//! ([`Node::alert`]) a node is unlocked before its children are locked. So the order is child before
//! parent, and since links follow the nesting of futures there is no circle. Wakers are called with
//! no lock held.
//!
//! # Who is woken
//!
//! A region judges whether it may drop its inside at the end of each poll of its own. A change that
//! happens during that poll needs no waking; one that comes from elsewhere (a handle, a future that
//! moved away, another thread) wakes the node that changed, or the nearest parent of one that left. The
//! poll that reaches it passes through every region around it, and they judge as well.

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::reason::Reason;
use crate::util::sync::{AtomicU32, AtomicUsize, Mutex, MutexGuard, Ordering, lock};

/// The region was cancelled.
const CANCELLED: u32 = 1;
/// Cancellations from further out stay out.
const SHIELDED: u32 = 1 << 1;
/// The region absorbed its cancellation.
const CAUGHT: u32 = 1 << 2;
/// A handle changed the deadline since the region last looked.
const RETIMED: u32 = 1 << 3;
/// Something inside must be polled on.
const HELD: u32 = 1 << 4;
/// Nothing inside holds, and something inside only waits to be dropped.
const UNWOUND: u32 = 1 << 5;
/// The node counts for something of its own, whatever is inside.
const OWN: u32 = 1 << 6;

/// What a node counts as in its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gives {
    hold: bool,
    unwind: bool,
}

/// How a region takes part, fixed when its node is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Passes on what is inside: cancel scopes, shields, members of a group.
    Passing,
    /// Holds as long as it is pending, and takes what unwinds inside: `catch_cancelled`.
    Catcher,
    /// Deals with its members itself: task groups.
    Group,
    /// Nothing inside; waits to be dropped: `resume_cancelled`.
    Unwinding,
}

#[derive(Debug)]
struct Links {
    parent: Option<(Arc<Node>, usize)>,
    children: Slab<Weak<Node>>,
    holds: u32,
    unwinds: u32,
    gives: Gives,
    /// A hold (an unwinding) of this node's own, beside those inside.
    own: Gives,
    waker: Option<Waker>,
    deadline: Option<Instant>,
    reason: Option<Reason>,
}

/// The shared state of one region.
#[derive(Debug)]
pub(crate) struct Node {
    kind: Kind,
    bits: AtomicU32,
    /// The address of the parent, for the polling thread to compare without the lock.
    parent_id: AtomicUsize,
    links: Mutex<Links>,
}

impl Node {
    pub(crate) fn new(kind: Kind, shielded: bool) -> Arc<Self> {
        let own = Gives {
            hold: kind == Kind::Catcher,
            unwind: kind == Kind::Unwinding,
        };
        Arc::new(Self {
            kind,
            bits: AtomicU32::new(own.bit() | if shielded { SHIELDED } else { 0 }),
            parent_id: AtomicUsize::new(0),
            links: Mutex::new(Links {
                parent: None,
                children: Slab::new(),
                holds: 0,
                unwinds: 0,
                gives: Gives::default(),
                own,
                waker: None,
                deadline: None,
                reason: None,
            }),
        })
    }

    #[inline]
    pub(crate) fn cancelled(&self) -> bool {
        self.has(CANCELLED)
    }

    #[inline]
    pub(crate) fn shielded(&self) -> bool {
        self.has(SHIELDED)
    }

    pub(crate) fn caught(&self) -> bool {
        self.has(CAUGHT)
    }

    /// Whether something inside must be polled on before anything is dropped.
    #[inline]
    pub(crate) fn held(&self) -> bool {
        self.has(HELD)
    }

    /// Whether what is inside only waits to be dropped.
    #[inline]
    pub(crate) fn unwound(&self) -> bool {
        self.has(UNWOUND)
    }

    #[inline]
    fn has(&self, bit: u32) -> bool {
        self.bits.load(Ordering::Acquire) & bit != 0
    }

    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        lock(&self.links).reason.clone()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.links).deadline
    }

    /// Tells the node what the region's deadline is, without calling it a change.
    pub(crate) fn note_deadline(&self, deadline: Option<Instant>) {
        lock(&self.links).deadline = deadline;
    }

    /// Moves the deadline; the region looks at its next poll, which comes at once.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let waker = {
            let mut links = lock(&self.links);
            links.deadline = deadline;
            self.bits.fetch_or(RETIMED, Ordering::Release);
            links.waker.take()
        };
        wake(waker);
    }

    /// The deadline, if a handle moved it since the last call.
    pub(crate) fn take_retimed(&self) -> Option<Option<Instant>> {
        if !self.has(RETIMED) {
            return None;
        }
        let links = lock(&self.links);
        self.bits.fetch_and(!RETIMED, Ordering::AcqRel);
        Some(links.deadline)
    }

    /// Cancels the region; whoever is first sets the reason. Says whether that was this call.
    pub(crate) fn cancel(&self, reason: impl FnOnce() -> Reason) -> bool {
        if self.cancelled() {
            return false;
        }
        let reason = reason();
        {
            let mut links = lock(&self.links);
            if self.cancelled() {
                return false;
            }
            links.reason = Some(reason);
            self.bits.fetch_or(CANCELLED, Ordering::Release);
        }
        self.alert();
        true
    }

    pub(crate) fn set_caught(&self) {
        self.bits.fetch_or(CAUGHT, Ordering::Release);
    }

    /// Switches the shield. When it goes off, what is inside hears of cancellations further out; when it goes
    /// on, the region is polled once, which links it, so that those around it know that it holds.
    pub(crate) fn set_shield(&self, on: bool) {
        let links = lock(&self.links);
        if self.shielded() == on {
            return;
        }
        self.bits.fetch_xor(SHIELDED, Ordering::AcqRel);
        self.publish(links);
        if on {
            self.wake();
        } else {
            self.alert();
        }
    }

    /// Holds (or no longer holds) the regions around this one off, whatever is inside.
    ///
    /// Call it from the region's poll.
    pub(crate) fn set_own_hold(&self, hold: bool) {
        if hold == self.has(OWN) {
            return;
        }
        let mut links = lock(&self.links);
        links.own.hold = hold;
        self.publish(links);
    }

    /// Declares that this region's inside is gone and it only waits to be dropped.
    ///
    /// Call it from the region's poll.
    pub(crate) fn set_own_unwind(&self) {
        let mut links = lock(&self.links);
        links.own.unwind = true;
        self.publish(links);
    }

    /// Leaves the waker of the region's future, for whoever changes something.
    ///
    /// Look at the state *after* this: a change before it may have found no waker.
    pub(crate) fn park(&self, waker: &Waker) {
        let mut links = lock(&self.links);
        match &mut links.waker {
            Some(old) => old.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Wakes the region's future.
    pub(crate) fn wake(&self) {
        let waker = lock(&self.links).waker.take();
        wake(waker);
    }

    /// Wakes this region and all regions inside that a cancellation from here reaches.
    pub(crate) fn alert(&self) {
        let mut below: Vec<Arc<Self>> = Vec::new();
        wake(self.alerted(&mut below));
        while let Some(node) = below.pop() {
            if !node.shielded() {
                wake(node.alerted(&mut below));
            }
        }
    }

    fn alerted(&self, below: &mut Vec<Arc<Self>>) -> Option<Waker> {
        let mut links = lock(&self.links);
        below.extend(
            links
                .children
                .iter()
                .filter_map(|(_, child)| child.upgrade()),
        );
        links.waker.take()
    }

    /// Whether this node counts as anything, so that it has to be linked.
    #[inline]
    pub(crate) fn counts(&self) -> bool {
        self.has(HELD | UNWOUND | SHIELDED | OWN)
    }

    /// Whether the node is linked below any other; exact on the thread that polls the region.
    #[inline]
    pub(crate) fn is_linked(&self) -> bool {
        self.parent_id.load(Ordering::Relaxed) != 0
    }

    /// Whether the node is linked below `parent`; exact on the thread that polls the region.
    #[inline]
    pub(crate) fn is_linked_under(&self, parent: Option<&Arc<Self>>) -> bool {
        self.parent_id.load(Ordering::Relaxed) == parent.map_or(0, |parent| parent.id())
    }

    /// Links the node below `parent`, leaving the parent it had.
    ///
    /// Call it from the region's poll. The old parent is woken: it may have waited for us. Says whether the
    /// node brings others along that were linked before it.
    pub(crate) fn link(self: &Arc<Self>, parent: Option<&Arc<Self>>) -> bool {
        if self.is_linked_under(parent) {
            return false;
        }
        let mut links = lock(&self.links);
        let left = Self::leave(&mut links, true);
        if let Some(parent) = parent {
            let mut above = lock(&parent.links);
            let key = above.children.insert(Arc::downgrade(self));
            links.parent = Some((Arc::clone(parent), key));
            links.gives = links.due(self);
            above.count(Gives::default(), links.gives);
            parent.publish(above);
        }
        self.parent_id
            .store(parent.map_or(0, |parent| parent.id()), Ordering::Relaxed);
        let brings = !links.children.is_empty();
        drop(links);
        wake(left);
        brings
    }

    /// Ends the region: it no longer counts in its parent.
    ///
    /// `in_poll`: the parent is polling right now and will judge by itself. It keeps its waker then, which it
    /// may have left before the poll.
    pub(crate) fn end(&self, in_poll: bool) {
        let mut links = lock(&self.links);
        let left = Self::leave(&mut links, !in_poll);
        let own = links.waker.take();
        self.parent_id.store(0, Ordering::Relaxed);
        drop(links);
        wake(left);
        drop(own);
    }

    /// The parent's node, if linked.
    pub(crate) fn parent(&self) -> Option<Arc<Self>> {
        lock(&self.links)
            .parent
            .as_ref()
            .map(|(parent, _)| Arc::clone(parent))
    }

    /// Takes the node out of its parent; gives the waker of the parent, if it is to be told and may want to
    /// judge anew.
    fn leave(links: &mut Links, tell: bool) -> Option<Waker> {
        let (parent, key) = links.parent.take()?;
        let mut above = lock(&parent.links);
        above.children.remove(key);
        let gave = std::mem::take(&mut links.gives);
        above.count(gave, Gives::default());
        let waker = if tell && gave != Gives::default() {
            above.waker.take()
        } else {
            None
        };
        parent.publish(above);
        waker
    }

    /// After a change under `links`: mirrors the counts in `bits` and carries what this node counts as
    /// to its ancestors.
    ///
    /// Nobody further out has to be woken for it: either this happens in a poll, which passes through
    /// them, or the caller wakes this node or the nearest parent, whose poll does.
    ///
    /// Recursion is as deep as the change goes up, at most the nesting of regions.
    fn publish(&self, mut links: MutexGuard<'_, Links>) {
        let held = if links.holds > 0 { HELD } else { 0 };
        let unwound = if links.unwound() { UNWOUND } else { 0 };
        let new = held | unwound | links.own.bit();
        let old = self.bits.load(Ordering::Relaxed) & (HELD | UNWOUND | OWN);
        if old != new {
            // Every writer of these bits holds the lock; the others are left alone.
            self.bits.fetch_xor(old ^ new, Ordering::AcqRel);
        }
        let (gave, due) = (links.gives, links.due(self));
        let parent = match &links.parent {
            Some((parent, _)) if gave != due => Arc::clone(parent),
            Some(_) | None => return,
        };
        links.gives = due;
        let mut above = lock(&parent.links);
        above.count(gave, due);
        parent.publish(above);
    }
}

impl Gives {
    fn bit(self) -> u32 {
        if self == Self::default() { 0 } else { OWN }
    }
}

impl Links {
    /// Whether nothing inside holds and something inside waits to be dropped.
    #[inline]
    fn unwound(&self) -> bool {
        self.unwinds > 0 && self.holds == 0
    }

    /// What the node counts as in its parent, as things are.
    fn due(&self, node: &Node) -> Gives {
        match node.kind {
            Kind::Passing => Gives {
                hold: self.holds > 0 || (node.shielded() && !self.unwound()),
                unwind: self.unwound(),
            },
            Kind::Catcher | Kind::Unwinding => self.own,
            Kind::Group => Gives {
                hold: self.holds > 0 || self.own.hold || (node.shielded() && !self.own.unwind),
                unwind: self.own.unwind,
            },
        }
    }

    /// Replaces what one child counts as.
    fn count(&mut self, gave: Gives, gives: Gives) {
        self.holds = self.holds + u32::from(gives.hold) - u32::from(gave.hold);
        self.unwinds = self.unwinds + u32::from(gives.unwind) - u32::from(gave.unwind);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
