//! `#[anyio::test]`.
//!
//! ```text
//! #[anyio::test(backends = [name(option = value, …), …], timeout = 5s)]
//! ```

mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

pub(crate) fn expand2(args: TokenStream, item: TokenStream) -> TokenStream {
    match parse::parse(args, item) {
        Ok(test) => expand::expand(test),
        Err(tokens) => tokens,
    }
}
