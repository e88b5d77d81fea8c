//! The procedural macros of `anyio`. Use them through that crate, whose documentation they are in.
//!
//! One folder a macro family; what they share is in `common`. A folder never imports another.

#![forbid(unsafe_code)]
// `expect("why it cannot fail")` for a local invariant, `?` for the rest.
#![warn(clippy::unwrap_used)]

mod cancel_scope;
mod common;
mod deadline;
mod finally;
mod main_attr;
mod shield;
mod task_group;
mod test;
mod with;

use proc_macro::TokenStream;

use deadline::{Limit, Otherwise};
use task_group::Marker;

/// See `anyio::task_group!`.
#[proc_macro]
pub fn task_group(input: TokenStream) -> TokenStream {
    task_group::expand2(input.into(), Marker::Threaded).into()
}

/// See `anyio::local_task_group!`.
#[proc_macro]
pub fn local_task_group(input: TokenStream) -> TokenStream {
    task_group::expand2(input.into(), Marker::Local).into()
}

/// See `anyio::cancel_scope!`.
#[proc_macro]
pub fn cancel_scope(input: TokenStream) -> TokenStream {
    cancel_scope::expand2(input.into()).into()
}

/// See `anyio::move_on_after!`.
#[proc_macro]
pub fn move_on_after(input: TokenStream) -> TokenStream {
    deadline::expand2(input.into(), Limit::After, Otherwise::MoveOn).into()
}

/// See `anyio::move_on_at!`.
#[proc_macro]
pub fn move_on_at(input: TokenStream) -> TokenStream {
    deadline::expand2(input.into(), Limit::At, Otherwise::MoveOn).into()
}

/// See `anyio::fail_after!`.
#[proc_macro]
pub fn fail_after(input: TokenStream) -> TokenStream {
    deadline::expand2(input.into(), Limit::After, Otherwise::Fail).into()
}

/// See `anyio::fail_at!`.
#[proc_macro]
pub fn fail_at(input: TokenStream) -> TokenStream {
    deadline::expand2(input.into(), Limit::At, Otherwise::Fail).into()
}

/// See `anyio::shield!`.
#[proc_macro]
pub fn shield(input: TokenStream) -> TokenStream {
    shield::expand2(input.into()).into()
}

/// See `anyio::shielded`.
#[proc_macro_attribute]
pub fn shielded(args: TokenStream, item: TokenStream) -> TokenStream {
    shield::attribute2(args.into(), item.into()).into()
}

/// See `anyio::finally!`.
#[proc_macro]
pub fn finally(input: TokenStream) -> TokenStream {
    finally::expand2(input.into()).into()
}

/// See `anyio::with!`.
#[proc_macro]
pub fn with(input: TokenStream) -> TokenStream {
    with::expand2(input.into()).into()
}

/// See `anyio::main`.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    main_attr::expand2(args.into(), item.into()).into()
}

/// See `anyio::test`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    test::expand2(args.into(), item.into()).into()
}
