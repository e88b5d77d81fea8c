//! `move_on_after!`, `move_on_at!`, `fail_after!`, `fail_at!`.
//!
//! ```text
//! (name = value,)* limit, ( { block } | |scope| [-> Type] { … } | future )
//! ```
//!
//! The options are `shield = bool` and, for the failing ones, `reason = "…"`.

mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

/// What the limit is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So long from now: a duration.
    After,
    /// A time: an instant.
    At,
}

/// What happens when it is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    MoveOn,
    Fail,
}

pub(crate) fn expand2(input: TokenStream, limit: Limit, otherwise: Otherwise) -> TokenStream {
    match parse::parse(input, limit, otherwise) {
        Ok(call) => expand::expand(call, limit, otherwise),
        Err(error) => error.to_compile_error(),
    }
}
