//! `task_group!` and `local_task_group!`.
//!
//! ```text
//! (name = value,)* |tg| [-> Result<T, E>] body
//! ```
//!
//! The options are `name = "…"` and `shield = bool`.

mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

/// Whether the children may move between threads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Threaded,
    Local,
}

pub(crate) fn expand2(input: TokenStream, marker: Marker) -> TokenStream {
    match parse::parse(input, marker) {
        Ok(call) => expand::expand(call, marker),
        Err(error) => error.to_compile_error(),
    }
}
