//! Task groups as tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Pat;
use syn::spanned::Spanned as _;

use super::Marker;
use super::parse::Call;

pub(super) fn expand(call: Call, marker: Marker) -> TokenStream {
    let Call {
        options,
        body,
        errors,
    } = call;
    let krate = &options.krate;
    let private = krate.private();
    let errors = errors.into_tokens();

    let marker = match marker {
        Marker::Threaded => quote!(#private::Threaded),
        Marker::Local => quote!(#private::Local),
    };
    let name = options.get("name").map(|name| quote!(.name(#name)));
    let shield = options.get("shield").map(|shield| quote!(.shield(#shield)));
    // The variable that the handle borrows. Under the user's own name for the handle, which shadows it at
    // once, the compiler's message about one that escapes is "`tg` does not live long enough".
    let group = match &body.param.pat {
        Pat::Ident(pat) => pat.ident.clone(),
        pat => Ident::new("task_group", Span::mixed_site().located_at(pat.span())),
    };
    let new = match &body.output {
        None => quote!(#private::GroupOptions::new()#name #shield.plain::<_, #marker>()),
        Some(result) => {
            let new = quote_spanned!(result.span()=> fallible::<#result, #marker>());
            quote!(#private::GroupOptions::new()#name #shield.#new)
        }
    };
    let bind = body.bind(&quote!(__tg));
    let future = body.future(krate).into_token_stream();
    quote!({
        #errors
        let #group = #new;
        let __tg = #private::task_group(&#group);
        #bind
        let __ended = #private::drive(__tg, #future).await;
        __ended
    })
}
