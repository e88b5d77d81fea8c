//! `gather`: several futures at once, each with the guarantees of a task group.

use std::future::Future;
use std::panic::Location;

use crate::error::ErrorGroup;
use crate::task::{Carrier, Fallible, Group, Plain};

/// Runs all futures of a tuple, an array or a `Vec` at once, as a task group; gives their outputs in the
/// same order.
///
/// Like [`join!`](std::future::join!) with the guarantees of a group: cancelled, each part keeps its
/// shields and clean-ups; a panic cancels the others. If the parts can fail, see [`try_gather`].
///
/// # Panics
///
/// If one of the futures does: the others are cancelled, and then the panic goes on.
///
/// # Cancel safety
///
/// Cancelled, the outputs that are there are dropped.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// let name = String::from("ferris");
/// let (length, upper) = anyio::gather((
///     async { name.len() },
///     async { name.to_uppercase() },
/// ))
/// .await;
/// assert_eq!((length, upper.as_str()), (6, "FERRIS"));
/// assert_eq!(anyio::gather([async { 1 }]).await, [1]);
/// # }
/// ```
#[track_caller]
pub fn gather<G: Gather>(futures: G) -> impl Future<Output = G::Output> + use<G> {
    futures.gather(Location::caller())
}

/// As [`gather`], for futures that give `Result`s: the first error cancels the rest.
///
/// # Errors
///
/// All errors, if there is one.
///
/// ```
/// # #[anyio::main]
/// # async fn main() {
/// async fn fetch(n: u32) -> Result<u32, String> {
///     if n == 7 { Err(format!("{n} is missing")) } else { Ok(n * 10) }
/// }
///
/// assert_eq!(anyio::try_gather((fetch(1), fetch(2))).await, Ok((10, 20)));
/// let errors = anyio::try_gather(vec![fetch(1), fetch(7)]).await.unwrap_err();
/// assert_eq!(errors.into_first(), "7 is missing");
/// # }
/// ```
#[track_caller]
pub fn try_gather<G: TryGather>(
    futures: G,
) -> impl Future<Output = Result<G::Output, ErrorGroup<G::Error>>> + use<G> {
    futures.try_gather(Location::caller())
}

/// What [`gather`] takes: tuples of up to twelve futures, arrays and `Vec`s.
pub trait Gather {
    /// The outputs, in the same order.
    type Output;

    #[doc(hidden)]
    fn gather(self, location: &'static Location<'static>) -> impl Future<Output = Self::Output>;
}

/// What [`try_gather`] takes: tuples of up to twelve futures, arrays and `Vec`s, of one error type.
pub trait TryGather {
    /// The values, in the same order.
    type Output;
    /// The error type of all of them.
    type Error;

    #[doc(hidden)]
    fn try_gather(
        self,
        location: &'static Location<'static>,
    ) -> impl Future<Output = Result<Self::Output, ErrorGroup<Self::Error>>>;
}

impl Gather for () {
    type Output = ();

    async fn gather(self, _: &'static Location<'static>) {}
}

macro_rules! tuples {
    ($($F:ident $f:ident $T:ident),+) => {
        impl<$($F: Future),+> Gather for ($($F,)+) {
            type Output = ($($F::Output,)+);

            async fn gather(self, location: &'static Location<'static>) -> Self::Output {
                let ($($f,)+) = self;
                let group = Group::<_, Plain, Carrier<($($F,)+)>>::new(None, false, location);
                let tg = group.handle();
                Group::drive(tg, async {
                    $(let $f = tg.carry($f, location);)+
                    ($($f.await,)+)
                })
                .await
            }
        }

        impl<Error, $($F: Future<Output = Result<$T, Error>>, $T),+> TryGather for ($($F,)+) {
            type Output = ($($T,)+);
            type Error = Error;

            async fn try_gather(
                self,
                location: &'static Location<'static>,
            ) -> Result<Self::Output, ErrorGroup<Error>> {
                let ($($f,)+) = self;
                let group = Group::<_, Fallible<Error>, Carrier<($($F,)+)>>::new(None, false, location);
                let tg = group.handle();
                Group::drive(tg, async {
                    $(let $f = tg.carry($f, location);)+
                    Ok(($($f.await,)+))
                })
                .await
            }
        }
    };
}

tuples!(A a Ta);
tuples!(A a Ta, B b Tb);
tuples!(A a Ta, B b Tb, C c Tc);
tuples!(A a Ta, B b Tb, C c Tc, D d Td);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg, H h Th);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg, H h Th, I i Ti);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg, H h Th, I i Ti, J j Tj);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg, H h Th, I i Ti, J j Tj, K k Tk);
tuples!(A a Ta, B b Tb, C c Tc, D d Td, E e Te, F f Tf, G g Tg, H h Th, I i Ti, J j Tj, K k Tk, L l Tl);

impl<F: Future> Gather for Vec<F> {
    type Output = Vec<F::Output>;

    async fn gather(self, location: &'static Location<'static>) -> Self::Output {
        let group = Group::<_, Plain, Carrier<F>>::new(None, false, location);
        let tg = group.handle();
        Group::drive(tg, async {
            let handles: Vec<_> = self
                .into_iter()
                .map(|future| tg.carry(future, location))
                .collect();
            let mut outputs = Vec::with_capacity(handles.len());
            for handle in handles {
                outputs.push(handle.await);
            }
            outputs
        })
        .await
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> TryGather for Vec<F> {
    type Output = Vec<T>;
    type Error = E;

    async fn try_gather(
        self,
        location: &'static Location<'static>,
    ) -> Result<Self::Output, ErrorGroup<E>> {
        let group = Group::<_, Fallible<E>, Carrier<F>>::new(None, false, location);
        let tg = group.handle();
        Group::drive(tg, async {
            let handles: Vec<_> = self
                .into_iter()
                .map(|future| tg.carry(future, location))
                .collect();
            let mut outputs = Vec::with_capacity(handles.len());
            for handle in handles {
                outputs.push(handle.await);
            }
            Ok(outputs)
        })
        .await
    }
}

impl<F: Future, const N: usize> Gather for [F; N] {
    type Output = [F::Output; N];

    async fn gather(self, location: &'static Location<'static>) -> Self::Output {
        array(Gather::gather(Vec::from(self), location).await)
    }
}

impl<F: Future<Output = Result<T, E>>, T, E, const N: usize> TryGather for [F; N] {
    type Output = [T; N];
    type Error = E;

    async fn try_gather(
        self,
        location: &'static Location<'static>,
    ) -> Result<Self::Output, ErrorGroup<E>> {
        TryGather::try_gather(Vec::from(self), location)
            .await
            .map(array)
    }
}

fn array<T, const N: usize>(outputs: Vec<T>) -> [T; N] {
    outputs
        .try_into()
        .unwrap_or_else(|_| unreachable!("as many outputs as futures"))
}
