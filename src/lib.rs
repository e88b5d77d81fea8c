//! x
pub use anyio_rt::*;
#[macro_export] macro_rules! tgm {
    (|$tg:ident| -> Result<$t:ty, $e:ty> $body:block) => {{ let __g = $crate::__private::group(); let $tg = $crate::__private::fallible::<$t, $e>(&__g); let __o = $crate::__private::drive($tg, async $body).await; __o }};
    (|$tg:ident| $body:block) => {{ let __g = $crate::__private::group(); let $tg = $crate::__private::plain(&__g); let __o = $crate::__private::drive($tg, async $body).await; __o }};
}
