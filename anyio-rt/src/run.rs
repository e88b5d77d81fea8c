//! Entering a backend.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project::pin_project;

use crate::backend::{Backend, Env, RunError};
use crate::scope::frame::{self, Frame, Region, RegionState, TaskRegion};
use crate::scope::node::{Kind, Node};
use crate::util::ids;
use crate::util::name::TaskName;

/// Runs `main` to its end on `backend`, as the first task, and gives what it gave.
///
/// Tasks that groups dropped from outside have left behind are waited for.
///
/// # Errors
///
/// [`RunError`] if this thread runs a backend already, or if this one is not compiled in or cannot be
/// built. `main` is dropped then.
///
/// # Panics
///
/// If `main` does; the panic is passed on. Straight inside a `block_on` of tokio's (under `#[tokio::main]`, outside
/// any task) it is tokio that panics when it is asked to run once more.
///
/// ```
/// let answer = anyio::run(anyio::Backend::default(), async {
///     anyio::checkpoint().await;
///     42
/// })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), anyio::RunError>(())
/// ```
pub fn run<F: Future>(backend: impl Into<Backend>, main: F) -> Result<F::Output, RunError> {
    run_named(backend.into(), TaskName::of::<F>(), main)
}

/// [`run`], the first task being called `name`.
pub(crate) fn run_named<F: Future>(
    backend: Backend,
    name: TaskName,
    main: F,
) -> Result<F::Output, RunError> {
    if let Some(backend) = Env::running() {
        return Err(RunError::AlreadyRunning { backend });
    }
    backend.block_on(|env| Main {
        region: MainRegion {
            id: ids::next(),
            name,
            node: OnceCell::new(),
        },
        env: Some(env),
        main,
        output: None,
    })
}

/// The first task of a run.
#[pin_project]
struct Main<F: Future> {
    region: MainRegion,
    env: Option<Env>,
    #[pin]
    main: F,
    output: Option<F::Output>,
}

struct MainRegion {
    id: u64,
    name: TaskName,
    node: OnceCell<Arc<Node>>,
}

impl Region for MainRegion {
    fn state(&self) -> RegionState {
        RegionState::default()
    }

    fn node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    fn make_node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| Node::new(Kind::Passing, false))
    }

    fn task(&self) -> Option<&dyn TaskRegion> {
        Some(self)
    }
}

impl TaskRegion for MainRegion {
    fn id(&self) -> u64 {
        self.id
    }

    fn parent_id(&self) -> Option<u64> {
        None
    }

    fn name(&self) -> TaskName {
        self.name.clone()
    }
}

impl<F: Future> Future for Main<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if this.output.is_none() {
            let frame = Frame::new(this.region);
            let polled = Env::enter(this.env, || frame::enter(&frame, || this.main.poll(cx)));
            match polled {
                Poll::Ready(output) => *this.output = Some(output),
                Poll::Pending => return Poll::Pending,
            }
        }
        // The environment is with us again; what is left behind holds clones of it.
        let idle = this
            .env
            .as_ref()
            .is_none_or(|env| env.poll_idle(cx).is_ready());
        match this.output.take_if(|_| idle) {
            Some(output) => Poll::Ready(output),
            None => Poll::Pending,
        }
    }
}
