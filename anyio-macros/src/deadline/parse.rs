//! Reading the arguments of a timeout.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, Token};

use super::{Limit, Otherwise};
use crate::common::args::Options;
use crate::common::body::Body;
use crate::common::diag::Errors;

/// The arguments of a timeout.
pub(super) struct Call {
    pub(super) options: Options,
    pub(super) limit: Expr,
    pub(super) body: Body,
    pub(super) errors: Errors,
}

pub(super) fn parse(input: TokenStream, limit: Limit, otherwise: Otherwise) -> syn::Result<Call> {
    (|input: ParseStream<'_>| call(input, limit, otherwise)).parse2(input)
}

fn call(input: ParseStream<'_>, limit: Limit, otherwise: Otherwise) -> syn::Result<Call> {
    let known: &[&str] = match otherwise {
        Otherwise::MoveOn => &["shield"],
        Otherwise::Fail => &["reason", "shield"],
    };
    let mut errors = Errors::default();
    let options = Options::parse(input, known, &mut errors)?;
    let (what, example) = match limit {
        Limit::After => ("a duration", "`5s`"),
        Limit::At => ("an instant", "`deadline`"),
    };
    if input.is_empty() || input.peek(syn::token::Brace) || input.peek(Token![|]) {
        return Err(input.error(format!(
            "{what} is missing: the first argument, as in {example}, comes before the body"
        )));
    }
    let limit: Expr = input.parse()?;
    if input.is_empty() {
        return Err(Error::new_spanned(
            &limit,
            "the body is missing: `{ … }` or `|scope| { … }` after the limit",
        ));
    }
    input.parse::<Token![,]>()?;
    let body = input.parse()?;
    Ok(Call {
        options,
        limit,
        body,
        errors,
    })
}
