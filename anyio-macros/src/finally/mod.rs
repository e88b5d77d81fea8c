//! `finally!`.
//!
//! ```text
//! finally!( { body }, { clean-up } )
//! ```

#[cfg(test)]
mod tests;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Token};

use crate::common::args::Options;
use crate::common::body::block;
use crate::common::diag::Errors;
use crate::common::flow::Flow;
use crate::common::krate::Krate;

struct Call {
    krate: Krate,
    body: TokenStream,
    clean_up: TokenStream,
}

pub(crate) fn expand2(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok(call) => expand(call),
        Err(error) => error.to_compile_error(),
    }
}

fn parse(input: ParseStream<'_>) -> syn::Result<Call> {
    let mut errors = Errors::default();
    let options = Options::parse(input, &[], &mut errors)?;
    errors.finish()?;
    let body = brace(
        input,
        "the body comes first: `finally!({ body }, { clean-up })`",
    )?;
    if input.is_empty() {
        return Err(input.error("the clean-up is missing: `finally!({ body }, { clean-up })`"));
    }
    input.parse::<Token![,]>()?;
    let clean_up = brace(
        input,
        "the clean-up is a block: `finally!({ body }, { clean-up })`",
    )?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Call {
        krate: options.krate,
        body,
        clean_up,
    })
}

fn brace(input: ParseStream<'_>, otherwise: &str) -> syn::Result<TokenStream> {
    let start = input.cursor().span();
    let token: TokenTree = input.parse().map_err(|_| Error::new(start, otherwise))?;
    let tokens = TokenStream::from(token);
    if block(&tokens) {
        Ok(tokens)
    } else {
        Err(Error::new(start, otherwise))
    }
}

fn expand(call: Call) -> TokenStream {
    let Call {
        krate,
        body,
        clean_up,
    } = call;
    let private = krate.private();
    let flow = Flow::new(&body, &krate);
    let future = &flow.future;
    let landed = flow.land(&quote!(__ended));

    let clean_up = Flow::new(&clean_up, &krate);
    let mut errors = Errors::default();
    if let Some((span, how)) = clean_up.first_escape() {
        errors.push(Error::new(
            span,
            format!("`{how}` cannot leave a clean-up, which runs however the body ended; handle it in here"),
        ));
    }
    let errors = errors.into_tokens();
    let clean_up = if clean_up.escapes() {
        quote!(async {})
    } else {
        clean_up.future
    };
    quote!({
        #errors
        let __clean_up = #private::Pending::new();
        let __settled = #private::settle(#future).await;
        #private::shield(#private::output::<(), _>(#clean_up)).await;
        __clean_up.done();
        let __ended = #private::pass_on(__settled).await;
        #landed
    })
}
