//! `cancel_scope!`.
//!
//! ```text
//! (name = value,)* |scope| [-> Type] body
//! ```
//!
//! The option is `shield = bool`.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser as _};

use crate::common::args::Options;
use crate::common::body::{Body, Closure};
use crate::common::diag::Errors;

struct Call {
    options: Options,
    body: Box<Closure>,
    errors: Errors,
}

pub(crate) fn expand2(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok(call) => expand(&call.options, &call.body, call.errors),
        Err(error) => error.to_compile_error(),
    }
}

fn parse(input: ParseStream<'_>) -> syn::Result<Call> {
    let mut errors = Errors::default();
    let options = Options::parse(input, &["shield"], &mut errors)?;
    let start = input.cursor().span();
    let Body::Closure(mut body) = input.parse()? else {
        return Err(syn::Error::new(
            start,
            "`cancel_scope!` takes a closure, whose parameter is the scope: `cancel_scope!(|scope| { … })`",
        ));
    };
    body.refuse_question_marks("cancel_scope", &options.krate, &mut errors);
    Ok(Call {
        options,
        body,
        errors,
    })
}

fn expand(options: &Options, body: &Closure, errors: Errors) -> TokenStream {
    let private = options.krate.private();
    let errors = errors.into_tokens();
    let shield = options.get("shield").map(|shield| quote!(.shield(#shield)));
    let bind = body.bind(&quote!(#private::handle(&__scope)));
    let future = body.future(&options.krate);
    quote!({
        #errors
        let __scope = #private::scope()#shield;
        #bind
        let __ended = #private::run(__scope, #future).await;
        __ended
    })
}
