//! `#[anyio::main]`.
//!
//! ```text
//! #[anyio::main(backend = name(option = value, …))]
//! ```

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Ident, ItemFn, Token};

use crate::common::backend::Backend;
use crate::common::diag::{Errors, did_you_mean};
use crate::common::function;
use crate::common::krate::Krate;

pub(crate) fn expand2(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = errors.take(options.parse2(args));
    let function = errors.take(syn::parse2::<ItemFn>(item.clone()).map_err(|error| {
        Error::new(
            error.span(),
            "`#[anyio::main]` goes on `async fn main() { … }`",
        )
    }));
    if let Some(function) = &function {
        function::check(&function.sig, "anyio::main", &mut errors);
    }
    match (options, function) {
        (Some((krate, backend)), Some(function)) if errors.is_empty() => {
            expand(&krate, backend.as_ref(), function)
        }
        (_, Some(function)) if function.sig.asyncness.is_some() => {
            // Without `async`, so that `main` is one that the compiler does not complain about as well.
            let mut function = function;
            function.sig.asyncness = None;
            function.block = syn::parse_quote!({ ::std::unreachable!() });
            function.sig.inputs.clear();
            function::with_item(errors, quote!(#function))
        }
        _ => function::with_item(errors, item),
    }
}

fn options(input: ParseStream<'_>) -> syn::Result<(Krate, Option<Backend>)> {
    let (mut krate, mut backend) = (Krate::default(), None);
    while !input.is_empty() {
        let name = input.call(Ident::parse_any)?;
        if name != "crate" && name != "backend" {
            let hint = did_you_mean(&name.to_string(), &["backend"]);
            return Err(Error::new(
                name.span(),
                format!("unknown option `{name}`{hint}; the options here are: `backend`"),
            ));
        }
        input.parse::<Token![=]>()?;
        if name == "crate" {
            krate = Krate::renamed(input.call(syn::Path::parse_mod_style)?);
        } else if backend.replace(input.parse()?).is_some() {
            return Err(Error::new(name.span(), "option `backend` is given twice"));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok((krate, backend))
}

fn expand(krate: &Krate, backend: Option<&Backend>, mut function: ItemFn) -> TokenStream {
    let private = krate.private();
    let backend = match backend {
        Some(backend) => backend.expr(krate),
        None => quote!(#private::Backend::default()),
    };
    let future = function::future(&function, krate);
    function.sig.asyncness = None;
    function.block = syn::parse_quote!({ #private::main(#backend, #future) });
    quote!(#function)
}
