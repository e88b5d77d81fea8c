//! Where the paths in expansions start.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// The path of the `anyio` crate: `::anyio`, or what `crate = …` says.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    pub(crate) fn renamed(path: Path) -> Self {
        Self(Some(path))
    }

    /// The module that expansions call into.
    pub(crate) fn private(&self) -> TokenStream {
        match &self.0 {
            Some(path) => quote!(#path::__private),
            None => quote!(::anyio::__private),
        }
    }
}
