//! Tests as tokens: the function itself, and a module of the same name with one `#[test]` a backend.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, ReturnType};

use super::parse::Test;
use crate::common::backend::{Backend, NAMES};

pub(super) fn expand(test: Test) -> TokenStream {
    let Test {
        krate,
        backends,
        timeout,
        mut function,
    } = test;
    let private = krate.private();
    let name = &function.sig.ident;

    // `should_panic` and `ignore` are for the harness, conditions for both, the rest for the function.
    let (harness, rest): (Vec<Attribute>, Vec<Attribute>) = std::mem::take(&mut function.attrs)
        .into_iter()
        .partition(|attr| attr.path().is_ident("should_panic") || attr.path().is_ident("ignore"));
    let conditions: Vec<&Attribute> = rest
        .iter()
        .filter(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
        .collect();

    let timeout = match &timeout {
        Some(timeout) => quote!(#private::Some(#timeout)),
        None => quote!(#private::None),
    };
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let asked_for = !backends.is_empty();
    let backends = if asked_for {
        backends
    } else {
        NAMES.map(Backend::plain).into()
    };
    let tests = backends.iter().map(|backend| {
        let test = format_ident!("{}", backend.test_name(), span = name.span());
        let expr = backend.expr(&krate);
        let when = format_ident!("when_{}", backend.name);
        let reason = format!(
            "the backend `{0}` is not compiled in: enable the feature `{0}` of `anyio`",
            backend.name
        );
        let otherwise = asked_for.then(|| {
            quote!(
                #[::core::prelude::v1::test]
                #[ignore = #reason]
                fn #test() {
                    // Or it would be unused.
                    _ = super::#name;
                }
            )
        });
        quote!(#private::#when! {
            {
                #[::core::prelude::v1::test]
                #(#harness)*
                fn #test() -> #output {
                    #private::test(#expr, #timeout, ::core::pin::pin!(super::#name()))
                }
            }
            { #otherwise }
        })
    });
    quote!(
        #(#rest)*
        #function

        #(#conditions)*
        #[cfg(test)]
        mod #name {
            #[allow(unused_imports)]
            use super::*;

            #(#tests)*
        }
    )
}
