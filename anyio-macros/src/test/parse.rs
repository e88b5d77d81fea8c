//! Reading the options and the function of a test.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, ItemFn, Token, bracketed};

use crate::common::backend::{Backend, NAMES};
use crate::common::diag::{Errors, did_you_mean, list};
use crate::common::duration;
use crate::common::function;
use crate::common::krate::Krate;

/// A test to be run on several backends.
pub(super) struct Test {
    pub(super) krate: Krate,
    /// Empty for all that are compiled in.
    pub(super) backends: Vec<Backend>,
    pub(super) timeout: Option<TokenStream>,
    pub(super) function: ItemFn,
}

#[derive(Default)]
struct Options {
    krate: Krate,
    backends: Option<Vec<Backend>>,
    timeout: Option<Expr>,
}

/// On error, gives what to emit.
pub(super) fn parse(args: TokenStream, item: TokenStream) -> Result<Test, TokenStream> {
    let mut errors = Errors::default();
    let options = errors.take(options.parse2(args)).unwrap_or_default();
    let function = errors.take(
        syn::parse2::<ItemFn>(item.clone())
            .map_err(|error| Error::new(error.span(), "`#[anyio::test]` goes on an `async fn`")),
    );
    let Some(function) = function else {
        return Err(function::with_item(errors, item));
    };
    function::check(&function.sig, "anyio::test", &mut errors);
    if let Some(test) = function
        .attrs
        .iter()
        .find(|attr| attr.path().is_ident("test"))
    {
        errors.push(Error::new_spanned(
            test,
            "`#[anyio::test]` makes the `#[test]` functions itself: leave this out",
        ));
    }
    let timeout = options
        .timeout
        .map(|timeout| duration::expand(timeout, &options.krate, &mut errors));
    if errors.is_empty() {
        let backends = options.backends.unwrap_or_default();
        Ok(Test {
            krate: options.krate,
            backends,
            timeout,
            function,
        })
    } else {
        Err(function::with_item(errors, item))
    }
}

fn options(input: ParseStream<'_>) -> syn::Result<Options> {
    const KNOWN: [&str; 2] = ["backends", "timeout"];
    let mut options = Options::default();
    while !input.is_empty() {
        let name = input.call(Ident::parse_any)?;
        let text = name.to_string();
        if name != "crate" && !KNOWN.contains(&text.as_str()) {
            let hint = did_you_mean(&text, &KNOWN);
            let known = list(&KNOWN);
            return Err(Error::new(
                name.span(),
                format!("unknown option `{text}`{hint}; the options here are: {known}"),
            ));
        }
        input.parse::<Token![=]>()?;
        let twice = if name == "crate" {
            options.krate = Krate::renamed(input.call(syn::Path::parse_mod_style)?);
            false
        } else if name == "timeout" {
            options.timeout.replace(input.parse()?).is_some()
        } else {
            options.backends.replace(backends(input)?).is_some()
        };
        if twice {
            return Err(Error::new(
                name.span(),
                format!("option `{text}` is given twice"),
            ));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(options)
}

fn backends(input: ParseStream<'_>) -> syn::Result<Vec<Backend>> {
    if !input.peek(syn::token::Bracket) {
        return Err(input.error("the backends are a list: `backends = [tokio, smol]`"));
    }
    let content;
    let bracket = bracketed!(content in input);
    let backends: Vec<Backend> = Punctuated::<Backend, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect();
    if backends.is_empty() {
        let names = list(&NAMES);
        return Err(Error::new(
            bracket.span.join(),
            format!(
                "a test on no backend tests nothing: name some of {names}, or leave `backends` out for all"
            ),
        ));
    }
    for (n, backend) in backends.iter().enumerate() {
        if backends[..n]
            .iter()
            .any(|other| other.test_name() == backend.test_name())
        {
            return Err(Error::new(
                backend.name.span(),
                format!("backend `{}` is listed twice", backend.test_name()),
            ));
        }
    }
    Ok(backends)
}
