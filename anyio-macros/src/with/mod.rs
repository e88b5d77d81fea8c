//! `with!`.
//!
//! ```text
//! with!( name = manager, { body } )
//! ```

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, Pat, Token};

use crate::common::body::Body;
use crate::common::flow::Flow;
use crate::common::krate::Krate;

struct Call {
    krate: Krate,
    name: Pat,
    manager: Expr,
    body: TokenStream,
}

pub(crate) fn expand2(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok(call) => expand(call),
        Err(error) => error.to_compile_error(),
    }
}

fn parse(input: ParseStream<'_>) -> syn::Result<Call> {
    let krate = if input.peek(Token![crate]) && input.peek2(Token![=]) {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let path = input.call(syn::Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        Krate::renamed(path)
    } else {
        Krate::default()
    };
    let usage =
        "`with!` takes a name for the resource and a block: `with!(file = open(path), { … })`";
    let start = input.cursor().span();
    let name = input
        .call(Pat::parse_single)
        .map_err(|_| Error::new(start, usage))?;
    if !input.peek(Token![=]) {
        return Err(input.error(usage));
    }
    input.parse::<Token![=]>()?;
    let manager = input.parse()?;
    if input.is_empty() {
        return Err(input.error("the body is missing: `with!(name = manager, { … })`"));
    }
    input.parse::<Token![,]>()?;
    let start = input.cursor().span();
    match input.parse()? {
        Body::Block(body) => Ok(Call {
            krate,
            name,
            manager,
            body,
        }),
        Body::Closure(_) | Body::Future(_) => Err(Error::new(start, usage)),
    }
}

fn expand(call: Call) -> TokenStream {
    let Call {
        krate,
        name,
        manager,
        body,
    } = call;
    let private = krate.private();
    let flow = Flow::new(&body, &krate);
    let future = &flow.future;
    let landed = flow.land(&quote!(__ended));
    quote!({
        let mut __resource = #private::enter(#manager).await;
        let __clean_up = #private::Pending::new();
        let __settled = {
            let #name = &mut *__resource;
            #private::settle(#future).await
        };
        #private::exit(__resource, &__settled).await;
        __clean_up.done();
        let __ended = #private::pass_on(__settled).await;
        #landed
    })
}
