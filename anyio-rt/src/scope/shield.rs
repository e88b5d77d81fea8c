//! Shields: parts that a cancellation from outside waits for.

use std::cell::OnceCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project::{pin_project, pinned_drop};

use super::frame::{self, Frame, Region, RegionState};
use super::node::{Kind, Node};
use crate::util::report;

/// Runs `inside` so that cancellations from outside wait until it is done.
///
/// What is inside does not notice them; the next suspension after the shield is cancelled. Scopes and
/// timeouts inside the shield work as ever. Put a timeout inside when the work could hang.
///
/// # Cancel safety
///
/// A scope of this crate never drops a pending shield. Anything else that drops the future (a foreign
/// `select!`, an aborted tokio task, a runtime that shuts down) drops what is inside where it stands;
/// Rust has no way to finish it then. That is reported through `tracing` and counted by the tests.
///
/// ```
/// use anyio::{move_on_after, shield};
/// use std::time::Duration;
///
/// # #[anyio::main]
/// # async fn main() {
/// let mut committed = false;
/// let timed_out = move_on_after(Duration::from_millis(1), async {
///     shield(async {
///         anyio::sleep(Duration::from_millis(5)).await;
///         committed = true;
///     })
///     .await;
///     anyio::checkpoint().await; // cancelled here
///     unreachable!()
/// });
/// assert!(timed_out.await.is_none());
/// assert!(committed);
/// # }
/// ```
#[track_caller]
pub fn shield<F: Future>(inside: F) -> Shielded<F> {
    Shielded {
        region: ShieldRegion {
            node: OnceCell::new(),
        },
        state: State::Open,
        inside,
        location: Location::caller(),
    }
}

/// A shielded future, from [`shield`].
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Shielded<F> {
    region: ShieldRegion,
    state: State,
    #[pin]
    inside: F,
    location: &'static Location<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not polled yet, or in the middle of a poll, which a panic may have ended.
    Open,
    Pending,
    Over,
}

struct ShieldRegion {
    node: OnceCell<Arc<Node>>,
}

impl Region for ShieldRegion {
    fn state(&self) -> RegionState {
        RegionState {
            cancelled: false,
            shielded: true,
        }
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| Node::new(Kind::Passing, true))
    }
}

impl<F: Future> Future for Shielded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        *this.state = State::Open;
        frame::arrive(this.region.node.get());
        let polled = frame::enter(&Frame::new(this.region), || this.inside.poll(cx));
        match polled {
            Poll::Ready(value) => {
                *this.state = State::Over;
                if let Some(node) = this.region.node.get() {
                    node.end(true);
                }
                Poll::Ready(value)
            }
            Poll::Pending => {
                *this.state = State::Pending;
                frame::link_if_inside(this.region);
                Poll::Pending
            }
        }
    }
}

#[pinned_drop]
impl<F> PinnedDrop for Shielded<F> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if *this.state == State::Pending {
            report::lost_clean_up("a shielded part", this.location);
        }
        // Also after a panic in its first poll, in which something inside may have linked it.
        if let Some(node) = this.region.node.get() {
            frame::end_dropped(node);
        }
    }
}

impl<F> fmt::Debug for Shielded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shielded")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
