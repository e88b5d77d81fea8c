//! The `async fn` that an attribute sits on.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemFn, ReturnType, Signature};

use super::diag::Errors;
use super::krate::Krate;

/// Checks what `#[main]` and `#[test]` both ask of their function.
pub(crate) fn check(signature: &Signature, attribute: &str, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.push(Error::new_spanned(
            signature.fn_token,
            format!(
                "`#[{attribute}]` goes on an `async fn`: write `async fn {}`",
                signature.ident
            ),
        ));
    }
    if let Some(first) = signature.generics.params.first() {
        errors.push(Error::new_spanned(
            first,
            format!("the function of `#[{attribute}]` cannot be generic"),
        ));
    }
    if let Some(first) = signature.inputs.first() {
        errors.push(Error::new_spanned(
            first,
            format!("the function of `#[{attribute}]` takes no arguments"),
        ));
    }
}

/// The body as a future that gives what the function's signature says.
pub(crate) fn future(function: &ItemFn, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let body = &function.block;
    match &function.sig.output {
        ReturnType::Default => quote!(#private::output::<(), _>(async #body)),
        ReturnType::Type(_, ty) => quote!(#private::output::<#ty, _>(async #body)),
    }
}

/// The errors together with the item, so that nothing else is reported about it.
pub(crate) fn with_item(errors: Errors, item: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    tokens.extend(item);
    tokens
}
