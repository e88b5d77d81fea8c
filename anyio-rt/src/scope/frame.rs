//! The chain of regions around the code that is being polled right now.
//!
//! Every future of this crate that can cancel, shield or catch is a *region*. While one polls what is
//! inside it, a [`Frame`] of it lies on the stack and is linked into a thread-local chain; when the poll
//! returns, the frame is gone. So "am I cancelled?" is a walk up a chain of stack frames, needs no
//! allocation, and works over any future in between, because nothing has to be handed through it.
//!
//! # Why this is sound
//!
//! The only unsafe thing here is that the thread-local `TOP` and `Frame::parent` are raw pointers to
//! frames on the stack of [`enter`].
//!
//! 1. `TOP` is written in two places, both in [`enter`]: it is set to a frame that `enter` borrows, and it
//!    is set back to what it was before `enter` returns or unwinds (`Restore`). Frames therefore come and
//!    go in stack order, and `TOP` never points to a dead one.
//! 2. A frame's `parent` is what `TOP` was when it was made. By 1 that frame outlives it.
//! 3. References made from these pointers are handed out only to closures ([`top`]) or bounded by the
//!    borrow of the frame they were reached from ([`Frame::parent`]); none is stored.
//! 4. The chain is thread-local and `Frame` is neither `Send` nor `Sync`, so nobody else looks.
//!
//! A frame that is leaked (by `mem::forget` on a future) does not exist: frames are not in futures.

#![allow(unsafe_code)] // the two raw pointers above

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use super::alarm::{Cover, Pass};
use super::deadline::EffectiveDeadline;
use super::node::Node;
use super::reason::Reason;
use crate::util::name::TaskName;

thread_local! {
    static TOP: Cell<*const Frame<'static>> = const { Cell::new(ptr::null()) };
}

/// What a region tells those inside it.
pub(crate) trait Region {
    /// Whether this region itself was cancelled, and whether it shields its inside.
    fn state(&self) -> RegionState;

    /// The region's own deadline, fixed now if it was still relative.
    fn deadline(&self) -> Option<std::time::Instant> {
        None
    }

    /// Why it was cancelled, if it was.
    fn reason(&self) -> Option<Reason> {
        None
    }

    /// Its shared node, if there is one yet.
    fn node(&self) -> Option<&Arc<Node>>;

    /// Its shared node, made now if there was none.
    fn make_node(&self) -> &Arc<Node>;

    /// The task whose outermost region this is.
    fn task(&self) -> Option<&dyn TaskRegion> {
        None
    }
}

/// What a region that is the outermost one of a task knows of it.
pub(crate) trait TaskRegion {
    fn id(&self) -> u64;
    fn parent_id(&self) -> Option<u64>;
    fn name(&self) -> TaskName;
}

/// The two facts that decide whether a cancellation reaches a point inside a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegionState {
    /// The region itself was cancelled, by hand or by its deadline.
    pub(crate) cancelled: bool,
    /// Cancellations from further out do not come in.
    pub(crate) shielded: bool,
}

/// Whether a cancellation reaches a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None does.
    None,
    /// One does, and a handle of some region in between could switch a shield on and keep it out.
    Revocable,
    /// One does, and nothing can keep it out any more.
    Final,
}

/// One region whose inside is being polled.
pub(crate) struct Frame<'a> {
    parent: Cell<*const Frame<'static>>,
    pub(crate) region: &'a dyn Region,
    /// How deadlines are dealt with in this poll; those of scopes inside go to `cover`.
    pub(crate) pass: Option<&'a Pass<'a>>,
    pub(crate) cover: Option<&'a Cover>,
}

impl<'a> Frame<'a> {
    /// A frame for [`enter`], which links it.
    #[inline]
    pub(crate) fn new(region: &'a dyn Region) -> Self {
        Self {
            parent: Cell::new(ptr::null()),
            region,
            pass: None,
            cover: None,
        }
    }

    /// A frame for [`enter`], of a region that can wait for a deadline.
    #[inline]
    pub(crate) fn with_alarm(region: &'a dyn Region, pass: &'a Pass<'a>, cover: &'a Cover) -> Self {
        Self {
            parent: Cell::new(ptr::null()),
            region,
            pass: Some(pass),
            cover: Some(cover),
        }
    }

    /// The next frame further out.
    #[inline]
    pub(crate) fn parent(&self) -> Option<&Frame<'_>> {
        // SAFETY: `parent` is null or was `TOP` when this frame was entered; such a frame outlives
        // this one (points 1 and 2 above), and the reference is bounded by the borrow of `self`.
        unsafe { self.parent.get().as_ref() }
    }

    /// Whether and how a cancellation reaches code at this point.
    #[inline]
    pub(crate) fn reach(&self) -> Reach {
        let mut revocable = false;
        let mut at = Some(self);
        while let Some(frame) = at {
            let state = frame.region.state();
            if state.cancelled {
                return if revocable {
                    Reach::Revocable
                } else {
                    Reach::Final
                };
            }
            if state.shielded {
                return Reach::None;
            }
            revocable |= frame.region.node().is_some();
            at = frame.parent();
        }
        Reach::None
    }

    /// Why a cancellation reaches this point: the reason of the innermost cancelled region.
    pub(crate) fn reason(&self) -> Option<Reason> {
        let mut at = Some(self);
        while let Some(frame) = at {
            let state = frame.region.state();
            if state.cancelled {
                return frame.region.reason();
            }
            if state.shielded {
                return None;
            }
            at = frame.parent();
        }
        None
    }

    /// Whether any region further out is cancelled, shields or not.
    pub(crate) fn cancelled_anywhere(&self) -> bool {
        let mut at = Some(self);
        while let Some(frame) = at {
            if frame.region.state().cancelled {
                return true;
            }
            at = frame.parent();
        }
        false
    }

    /// The earliest deadline that can reach this point.
    pub(crate) fn effective_deadline(&self) -> EffectiveDeadline {
        let mut earliest = EffectiveDeadline::Never;
        let mut at = Some(self);
        while let Some(frame) = at {
            let state = frame.region.state();
            if state.cancelled {
                return EffectiveDeadline::Cancelled;
            }
            if let Some(deadline) = frame.region.deadline() {
                earliest = earliest.min(EffectiveDeadline::At(deadline));
            }
            if state.shielded {
                break;
            }
            at = frame.parent();
        }
        earliest
    }

    /// The task this frame belongs to.
    pub(crate) fn task(&self) -> Option<&dyn TaskRegion> {
        let mut at = Some(self);
        while let Some(frame) = at {
            if let Some(task) = frame.region.task() {
                return Some(task);
            }
            at = frame.parent();
        }
        None
    }

    /// This region's node, with the nodes of all regions around it made and linked.
    ///
    /// Recursion is as deep as the nesting, as are the polls on the stack.
    pub(crate) fn linked_node(&self) -> &Arc<Node> {
        let node = self.region.make_node();
        match self.parent() {
            Some(parent) => parent.adopt(node),
            None => {
                node.link(None);
            }
        }
        node
    }

    /// Links `node`, that of a region right inside this one.
    ///
    /// One that comes from elsewhere may bring regions along that nobody would poll here: if a cancellation
    /// reaches this point, they hear of it now.
    fn adopt(&self, node: &Arc<Node>) {
        let here = self.region.node();
        if here.is_some_and(|here| node.is_linked_under(Some(here))) {
            return;
        }
        let moved = node.link(Some(self.linked_node()));
        if moved && !node.shielded() && self.reach() != Reach::None {
            node.alert();
        }
    }
}

/// At the start of a poll of a region: if it was linked elsewhere, it moved here, and leaves the parent it had.
///
/// Before anything inside is polled, so that what ends in this poll is taken note of where it is polled.
#[inline]
pub(crate) fn arrive(node: Option<&Arc<Node>>) {
    if let Some(node) = node
        && node.is_linked()
    {
        link_here(node);
    }
}

/// Links a region's node under the innermost frame, if it counts there: for the end of a poll of the
/// region that was pending.
#[inline]
pub(crate) fn link(node: &Arc<Node>) {
    if node.counts() {
        link_here(node);
    }
}

/// Rare, and kept out of the polls of all kinds of scopes.
#[inline(never)]
fn link_here(node: &Arc<Node>) {
    top(|top| match top {
        Some(parent) => parent.adopt(node),
        None => {
            node.link(None);
        }
    });
}

/// Makes and links the node of a region that always counts; none is needed outside all regions.
pub(crate) fn link_if_inside(region: &dyn Region) {
    if region.node().is_some() || top(|top| top.is_some()) {
        link(region.make_node());
    }
}

/// Ends a region whose future is dropped, perhaps in the middle of the poll of its parent.
pub(crate) fn end_dropped(node: &Node) {
    let in_poll = node.parent().is_some_and(|parent| is_polling(&parent));
    node.end(in_poll);
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("state", &self.region.state())
            .finish_non_exhaustive()
    }
}

/// Polls the inside of a region: runs `f` with `frame` as the innermost one.
#[inline]
pub(crate) fn enter<R>(frame: &Frame<'_>, f: impl FnOnce() -> R) -> R {
    struct Restore(*const Frame<'static>);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            set_top(self.0);
        }
    }

    let before = TOP.get();
    frame.parent.set(before);
    // The lifetime is erased by the cast; points 1 to 3 above say why nobody can tell.
    set_top(ptr::from_ref(frame).cast());
    let _restore = Restore(before);
    f()
}

/// `TOP.set`, which the standard library does not inline.
#[inline]
fn set_top(top: *const Frame<'static>) {
    TOP.with(|cell| cell.set(top));
}

/// Gives the innermost frame of this thread to `f`.
#[inline]
pub(crate) fn top<R>(f: impl FnOnce(Option<&Frame<'_>>) -> R) -> R {
    // SAFETY: `TOP` is null or points to a live frame (point 1 above). It stays alive while `f` runs,
    // since the `enter` that owns it is below us on this stack, and `f` cannot keep the reference.
    f(unsafe { TOP.get().as_ref() })
}

/// Whether a cancellation reaches the code that runs right now.
pub(crate) fn cancelled() -> bool {
    reach() != Reach::None
}

/// Whether and how a cancellation reaches the code that runs right now.
#[inline]
pub(crate) fn reach() -> Reach {
    top(|top| top.map_or(Reach::None, Frame::reach))
}

/// Whether `node` belongs to a region that is being polled on this thread right now.
pub(crate) fn is_polling(node: &Arc<Node>) -> bool {
    top(|top| {
        let mut at = top;
        while let Some(frame) = at {
            if frame
                .region
                .node()
                .is_some_and(|other| Arc::ptr_eq(other, node))
            {
                return true;
            }
            at = frame.parent();
        }
        false
    })
}
