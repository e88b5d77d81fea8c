//! Checkpoints: points where a cancellation is noticed and others get to run.

use std::cell::OnceCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::frame::{self, Reach, Region, RegionState};
use super::node::{Kind, Node};
use crate::util::budget;

/// What makes an operation a checkpoint: asked before the operation has any effect.
///
/// In a cancelled scope it stays pending; the scope that is polling it then drops the operation. If a
/// handle could still shield the operation off, it has been cancelled nevertheless: the gate then
/// waits to be dropped like a clean-up that is done.
#[derive(Default)]
pub(crate) struct Gate {
    passed: bool,
    refused: OnceCell<Arc<Node>>,
}

impl Gate {
    /// One that lets everything through, for a part of an operation that has asked already.
    pub(crate) fn passed() -> Self {
        Self {
            passed: true,
            refused: OnceCell::new(),
        }
    }

    /// Ready if the operation may go on; after that, always.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.passed {
            return Poll::Ready(());
        }
        if self.poll_cancelled().is_pending() {
            return Poll::Pending;
        }
        self.passed = true;
        budget::poll_proceed(cx)
    }

    /// Ready if no cancellation reaches the operation.
    #[inline]
    pub(crate) fn poll_cancelled(&mut self) -> Poll<()> {
        if self.refused.get().is_none() {
            match frame::reach() {
                Reach::None => return Poll::Ready(()),
                Reach::Final => return Poll::Pending,
                Reach::Revocable => {}
            }
        }
        frame::link_if_inside(self);
        Poll::Pending
    }
}

impl Region for Gate {
    fn state(&self) -> RegionState {
        RegionState::default()
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.refused.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.refused
            .get_or_init(|| Node::new(Kind::Unwinding, false))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(node) = self.refused.get() {
            frame::end_dropped(node);
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.refused.get().is_some() {
            "refused"
        } else if self.passed {
            "passed"
        } else {
            "closed"
        };
        f.write_str(state)
    }
}

/// Lets others run once, then goes on unless cancelled.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// anyio::checkpoint().await;
/// # }
/// ```
pub fn checkpoint() -> Checkpoint {
    Checkpoint {
        yielded: false,
        gate: Gate::default(),
    }
}

/// From [`checkpoint`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Checkpoint {
    yielded: bool,
    gate: Gate,
}

impl Future for Checkpoint {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gate.poll_cancelled().is_pending() {
            return Poll::Pending;
        }
        poll_yield(&mut self.yielded, cx)
    }
}

/// Is cancelled if a cancellation reaches here; otherwise goes on at once, without letting others run.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// use anyio::CancelScope;
/// use anyio::lowlevel::checkpoint_if_cancelled;
///
/// # #[anyio::main]
/// # async fn main() {
/// checkpoint_if_cancelled().await;
/// let scope = CancelScope::new();
/// scope.handle().cancel();
/// assert!(scope.run(checkpoint_if_cancelled()).await.is_err());
/// # }
/// ```
pub fn checkpoint_if_cancelled() -> CheckpointIfCancelled {
    CheckpointIfCancelled {
        gate: Gate::default(),
    }
}

/// From [`checkpoint_if_cancelled`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct CheckpointIfCancelled {
    gate: Gate,
}

impl Future for CheckpointIfCancelled {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.gate.poll_cancelled()
    }
}

/// Lets others run once, and goes on even if cancelled.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// ```
/// use anyio::CancelScope;
/// use anyio::lowlevel::cancel_shielded_checkpoint;
///
/// # #[anyio::main]
/// # async fn main() {
/// let scope = CancelScope::new();
/// scope.handle().cancel();
/// assert!(scope.run(cancel_shielded_checkpoint()).await.is_ok());
/// # }
/// ```
pub fn cancel_shielded_checkpoint() -> CancelShieldedCheckpoint {
    CancelShieldedCheckpoint {
        inside: super::shield(Yield { yielded: false }),
    }
}

/// From [`cancel_shielded_checkpoint`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct CancelShieldedCheckpoint {
    inside: super::Shielded<Yield>,
}

impl Future for CancelShieldedCheckpoint {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.inside).poll(cx)
    }
}

#[derive(Debug)]
struct Yield {
    yielded: bool,
}

impl Future for Yield {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        poll_yield(&mut self.yielded, cx)
    }
}

fn poll_yield(yielded: &mut bool, cx: &Context<'_>) -> Poll<()> {
    if std::mem::replace(yielded, true) {
        Poll::Ready(())
    } else {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
