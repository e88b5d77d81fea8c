//! `amap`: the same function for many arguments.

use std::future::Future;
use std::iter::Enumerate;
use std::panic::Location;
use std::sync::Mutex;

use super::join::{gather, try_gather};
use crate::error::ErrorGroup;
use crate::task::{Carrier, Fallible, Group, Plain};
use crate::util::sync::lock;

/// Calls `func` with each of `args` and runs all the futures at once; gives their outputs in the order of
/// the arguments.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let squares = anyio::amap(1..=4, async |n| n * n).await;
/// assert_eq!(squares, [1, 4, 9, 16]);
/// # }
/// ```
#[track_caller]
pub fn amap<I, F, Fut>(args: I, func: F) -> impl Future<Output = Vec<Fut::Output>> + use<I, F, Fut>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future,
{
    gather(args.into_iter().map(func).collect::<Vec<_>>())
}

/// As [`amap`], for futures that give `Result`s: the first error cancels the rest.
///
/// # Errors
///
/// All errors, if there is one.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let parsed = anyio::try_amap(["1", "2"], async |text| text.parse::<u32>()).await;
/// assert_eq!(parsed.unwrap(), [1, 2]);
/// # }
/// ```
#[track_caller]
pub fn try_amap<I, F, Fut, T, E>(
    args: I,
    func: F,
) -> impl Future<Output = Result<Vec<T>, ErrorGroup<E>>> + use<I, F, Fut, T, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    try_gather(args.into_iter().map(func).collect::<Vec<_>>())
}

/// As [`amap`], with at most `limit` of the futures running at a time. `args` is read as they get their
/// turn.
///
/// # Panics
///
/// If `limit` is 0.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let doubled = anyio::amap_limited(2, 1..=5, async |n| {
///     anyio::checkpoint().await;
///     n * 2
/// });
/// assert_eq!(doubled.await, [2, 4, 6, 8, 10]);
/// # }
/// ```
#[track_caller]
pub fn amap_limited<I, F, Fut>(
    limit: usize,
    args: I,
    func: F,
) -> impl Future<Output = Vec<Fut::Output>> + use<I, F, Fut>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future,
{
    let work = Work::new(limit, args, func);
    let location = Location::caller();
    async move {
        let group = Group::<_, Plain, Carrier<(I::IntoIter, F, Fut, Fut::Output)>>::new(
            None, false, location,
        );
        let tg = group.handle();
        Group::drive(tg, async {
            for _ in 0..limit {
                tg.carry(
                    async {
                        while let Some((n, future)) = work.next() {
                            let output = future.await;
                            work.keep(n, output);
                        }
                    },
                    location,
                );
            }
        })
        .await;
        work.outputs()
    }
}

/// As [`amap_limited`], for futures that give `Result`s: the first error cancels the rest.
///
/// # Errors
///
/// All errors, if there is one. Arguments that had not had their turn are dropped.
///
/// # Panics
///
/// If `limit` is 0.
#[track_caller]
pub fn try_amap_limited<I, F, Fut, T, E>(
    limit: usize,
    args: I,
    func: F,
) -> impl Future<Output = Result<Vec<T>, ErrorGroup<E>>> + use<I, F, Fut, T, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let work = Work::new(limit, args, func);
    let location = Location::caller();
    async move {
        let group =
            Group::<_, Fallible<E>, Carrier<(I::IntoIter, F, Fut, T)>>::new(None, false, location);
        let tg = group.handle();
        Group::drive(tg, async {
            for _ in 0..limit {
                tg.carry(
                    async {
                        while let Some((n, future)) = work.next() {
                            let output = future.await?;
                            work.keep(n, output);
                        }
                        Ok(())
                    },
                    location,
                );
            }
            Ok(())
        })
        .await?;
        Ok(work.outputs())
    }
}

/// The arguments left, and the outputs so far.
struct Work<I, F, T> {
    args: Mutex<(Enumerate<I>, F)>,
    outputs: Mutex<Vec<Option<T>>>,
}

impl<I: Iterator, F, T> Work<I, F, T> {
    #[track_caller]
    fn new<Fut>(limit: usize, args: impl IntoIterator<IntoIter = I>, func: F) -> Self
    where
        F: FnMut(I::Item) -> Fut,
    {
        assert!(limit > 0, "with a limit of 0 nothing would ever run");
        Self {
            args: Mutex::new((args.into_iter().enumerate(), func)),
            outputs: Mutex::new(Vec::new()),
        }
    }

    /// The next future, and the place of its output.
    fn next<Fut>(&self) -> Option<(usize, Fut)>
    where
        F: FnMut(I::Item) -> Fut,
    {
        let (args, func) = &mut *lock(&self.args);
        let (n, arg) = args.next()?;
        Some((n, func(arg)))
    }

    fn keep(&self, n: usize, output: T) {
        let mut outputs = lock(&self.outputs);
        if outputs.len() <= n {
            outputs.resize_with(n + 1, || None);
        }
        outputs[n] = Some(output);
    }

    fn outputs(self) -> Vec<T> {
        let outputs = self
            .outputs
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        outputs
            .into_iter()
            .map(|output| output.expect("each future has ended"))
            .collect()
    }
}
