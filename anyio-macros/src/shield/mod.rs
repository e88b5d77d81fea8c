//! `shield!` and `#[shielded]`.
//!
//! ```text
//! shield!( { block } | future )
//! ```

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ImplItemFn, ReturnType, Stmt, Type};

use crate::common::args::Options;
use crate::common::body::Body;
use crate::common::diag::Errors;
use crate::common::flow::Flow;
use crate::common::krate::Krate;

/// `shield!`
pub(crate) fn expand2(input: TokenStream) -> TokenStream {
    let parse = |input: ParseStream<'_>| {
        let mut errors = Errors::default();
        let options = Options::parse(input, &[], &mut errors)?;
        errors.finish()?;
        let start = input.cursor().span();
        match input.parse()? {
            Body::Closure(_) => Err(Error::new(
                start,
                "`shield!` takes a block: `shield!({ … })`",
            )),
            body => Ok((options.krate, body)),
        }
    };
    match parse.parse2(input) {
        Ok((krate, body)) => expand(body, &krate),
        Err(error) => error.to_compile_error(),
    }
}

fn expand(body: Body, krate: &Krate) -> TokenStream {
    let private = krate.private();
    match body {
        Body::Block(block) => {
            let flow = Flow::new(&block, krate);
            let future = &flow.future;
            let landed = flow.land(&quote!(__ended));
            quote!({
                let __ended = #private::shield(#future).await;
                #landed
            })
        }
        Body::Future(future) => quote!({
            let __ended = #private::shield(#future).await;
            __ended
        }),
        Body::Closure(_) => unreachable!("refused when it was read"),
    }
}

/// `#[shielded]`
pub(crate) fn attribute2(args: TokenStream, item: TokenStream) -> TokenStream {
    match shielded(args, &item) {
        Ok(function) => function,
        // The item is given back with the error, so that the error stays the only one.
        Err(error) => {
            let mut tokens = error.to_compile_error();
            tokens.extend(item);
            tokens
        }
    }
}

fn shielded(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options =
        (|input: ParseStream<'_>| Options::parse(input, &[], &mut errors)).parse2(args)?;
    errors.finish()?;
    // Functions, methods and trait methods with a body read the same.
    let mut function: ImplItemFn = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(item, "`#[shielded]` goes on an `async fn` with a body"))?;
    let private = options.krate.private();
    if function.sig.asyncness.is_none() {
        // What `#[async_trait]` has made of an `async fn` before it was our turn.
        if let Some(Stmt::Expr(boxed, None)) = function.block.stmts.last_mut()
            && let Some(future) = boxed_future(boxed)
        {
            *future = Expr::Verbatim(quote!(#private::shield(#future)));
            return Ok(function.into_token_stream());
        }
        return Err(Error::new_spanned(
            function.sig.fn_token,
            "`#[shielded]` goes on an `async fn`: a function that is not async cannot be cancelled, so there \
             is nothing to shield",
        ));
    }
    let body = &function.block;
    // An annotation, so that `?` and `Ok(…)` in the body know their types as before.
    let future = match &function.sig.output {
        ReturnType::Default => quote!(#private::output::<(), _>(async move #body)),
        ReturnType::Type(_, ty) if !names_impl(ty) => {
            quote_spanned!(ty.span()=> #private::output::<#ty, _>(async move #body))
        }
        ReturnType::Type(..) => quote!(async move #body),
    };
    function.block = syn::parse_quote!({ #private::shield(#future).await });
    Ok(function.into_token_stream())
}

/// The `async` block in `Box::pin(async { … })`.
fn boxed_future(expr: &mut Expr) -> Option<&mut Expr> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let mut names = function
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| &segment.ident);
    if names.next()? != "pin" || names.next()? != "Box" {
        return None;
    }
    call.args
        .first_mut()
        .filter(|argument| matches!(argument, Expr::Async(_)))
}

/// Whether `impl Trait` is in the type, which cannot be named inside a body.
fn names_impl(ty: &Type) -> bool {
    ty.to_token_stream().into_iter().any(mentions_impl)
}

fn mentions_impl(token: proc_macro2::TokenTree) -> bool {
    match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "impl",
        proc_macro2::TokenTree::Group(group) => group.stream().into_iter().any(mentions_impl),
        _ => false,
    }
}
