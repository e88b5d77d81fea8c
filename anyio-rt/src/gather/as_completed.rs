//! `as_completed`: tasks in the order in which they end.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;

use crate::scope::Gate;
use crate::task::{TaskHandle, Waiting};
use crate::util::sync::lock;

/// Gives the handles of tasks in the order in which the tasks end.
///
/// The tasks belong to their group as ever: a failure cancels it and comes out at its end. Dropping the
/// stream early cancels the tasks that have not been given yet.
///
/// # Panics
///
/// If there are no handles, since waiting for the first of none is a mistake.
///
/// ```
/// use anyio::{as_completed, task_group};
///
/// # #[anyio::main]
/// # async fn main() {
/// let first = task_group!(|tg| {
///     let slow = tg.spawn(async { anyio::sleep_forever().await; "slow" });
///     let fast = tg.spawn(async { "fast" });
///     let mut ended = as_completed([slow, fast]);
///     let first = ended.next().await.unwrap();
///     first.await // dropping `ended` cancels the slow one
/// });
/// assert_eq!(first, "fast");
/// # }
/// ```
#[track_caller]
pub fn as_completed<'scope, V>(
    handles: impl IntoIterator<Item = TaskHandle<'scope, V>>,
) -> AsCompleted<'scope, V> {
    let ended = Arc::new(Ended {
        state: Mutex::new(State {
            order: VecDeque::new(),
            waker: None,
        }),
    });
    let tasks: Vec<_> = handles
        .into_iter()
        .enumerate()
        .map(|(n, handle)| {
            let waker = Waker::from(Arc::new(Entry {
                n,
                ended: Arc::clone(&ended),
            }));
            Some(Task {
                handle,
                waiting: Waiting::passed(),
                waker,
            })
        })
        .collect();
    assert!(!tasks.is_empty(), "`as_completed` needs at least one task");
    let left = tasks.len();
    AsCompleted {
        tasks,
        left,
        ended,
        gate: Gate::default(),
        started: false,
    }
}

/// A stream of finished tasks, from [`as_completed`].
#[must_use = "streams do nothing unless polled"]
pub struct AsCompleted<'scope, V> {
    tasks: Vec<Option<Task<'scope, V>>>,
    left: usize,
    ended: Arc<Ended>,
    gate: Gate,
    started: bool,
}

struct Task<'scope, V> {
    handle: TaskHandle<'scope, V>,
    waiting: Waiting,
    waker: Waker,
}

/// Which tasks have been reported, in order.
struct Ended {
    state: Mutex<State>,
}

struct State {
    order: VecDeque<usize>,
    waker: Option<Waker>,
}

impl Ended {
    fn push(&self, n: usize) {
        let waker = {
            let mut state = lock(&self.state);
            state.order.push_back(n);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Wakes the stream for one task.
struct Entry {
    n: usize,
    ended: Arc<Ended>,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.ended.push(self.n);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ended.push(self.n);
    }
}

impl<'scope, V> AsCompleted<'scope, V> {
    /// The next task that has ended, however it did; `None` once all have been given.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a task that has not been given is given by the next call.
    pub async fn next(&mut self) -> Option<TaskHandle<'scope, V>> {
        self.gate = Gate::default();
        poll_fn(|cx| self.poll_ended(cx)).await
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<TaskHandle<'scope, V>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.gate.poll(cx));
        if !self.started {
            self.started = true;
            for n in 0..self.tasks.len() {
                self.look(n);
            }
        }
        loop {
            let n = {
                let mut state = lock(&self.ended.state);
                match state.order.pop_front() {
                    Some(n) => n,
                    None => {
                        state.waker = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            };
            // A wake says little: look whether the task has ended, and stay registered if not.
            let Some(task) = &mut self.tasks[n] else {
                continue;
            };
            if task.handle.is_finished() {
                let task = self.tasks[n].take().expect("looked at just now");
                self.left -= 1;
                return Poll::Ready(Some(task.handle));
            }
            self.look(n);
        }
    }

    /// Registers with a task; if it has ended already, queues it.
    fn look(&mut self, n: usize) {
        let Some(task) = &mut self.tasks[n] else {
            return;
        };
        let mut cx = Context::from_waker(&task.waker);
        if task
            .handle
            .poll_settled(&mut task.waiting, &mut cx)
            .is_ready()
        {
            self.ended.push(n);
        }
    }
}

impl<'scope, V> Stream for AsCompleted<'scope, V> {
    type Item = TaskHandle<'scope, V>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_ended(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Tasks that have not been given are cancelled.
impl<V> Drop for AsCompleted<'_, V> {
    fn drop(&mut self) {
        for task in self.tasks.iter_mut().flatten() {
            task.handle.cancel();
            task.handle.stop_waiting(&mut task.waiting);
        }
    }
}

impl<V> fmt::Debug for AsCompleted<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
