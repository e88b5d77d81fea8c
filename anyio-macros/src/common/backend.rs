//! Backends as `#[anyio::main]` and `#[anyio::test]` name them: `tokio`, `tokio(flavor = "current_thread")`,
//! `smol(threads = 2)`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitInt, Token, parenthesized};

use super::diag::{did_you_mean, list};
use super::krate::Krate;

/// The backends there are, in the order in which tests run on them.
pub(crate) const NAMES: [&str; 2] = ["tokio", "smol"];

/// One backend with its options.
pub(crate) struct Backend {
    pub(crate) name: Ident,
    /// What tells it from the same backend with other options, as part of a test's name.
    suffix: String,
    /// Calls on the builder.
    options: Vec<TokenStream>,
}

impl Backend {
    /// The backend of this name, without options.
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: Ident::new(name, Span::call_site()),
            suffix: String::new(),
            options: Vec::new(),
        }
    }

    /// The name of a test on it.
    pub(crate) fn test_name(&self) -> String {
        format!("{}{}", self.name, self.suffix)
    }

    /// The backend as an expression.
    pub(crate) fn expr(&self, krate: &Krate) -> TokenStream {
        let private = krate.private();
        let Self { name, options, .. } = self;
        quote!(#private::Backend::from(#private::Backend::#name() #(#options)*))
    }
}

impl Parse for Backend {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse().map_err(|error| {
            Error::new(
                error.span(),
                format!(
                    "a backend goes by its name, without quotes: {}",
                    list(&NAMES)
                ),
            )
        })?;
        let text = name.to_string();
        if !NAMES.contains(&text.as_str()) {
            let hint = did_you_mean(&text, &NAMES);
            let names = list(&NAMES);
            return Err(Error::new(
                name.span(),
                format!("unknown backend `{text}`{hint}; there are: {names}"),
            ));
        }
        let mut backend = Self {
            name,
            suffix: String::new(),
            options: Vec::new(),
        };
        if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            let mut given: Vec<Ident> = Vec::new();
            for Setting { name, value } in
                Punctuated::<Setting, Token![,]>::parse_terminated(&content)?
            {
                if given.contains(&name) {
                    return Err(Error::new(
                        name.span(),
                        format!("option `{name}` is given twice"),
                    ));
                }
                backend.set(&name, &value)?;
                given.push(name);
            }
        }
        Ok(backend)
    }
}

impl Backend {
    fn set(&mut self, name: &Ident, value: &Expr) -> syn::Result<()> {
        let known: &[&str] = if self.name == "tokio" {
            &["flavor", "worker_threads"]
        } else {
            &["threads"]
        };
        let text = name.to_string();
        match text.as_str() {
            "flavor" if self.name == "tokio" => self.flavor(value),
            "worker_threads" if self.name == "tokio" => self.threads(name, value),
            "threads" if self.name == "smol" => self.threads(name, value),
            _ => {
                let hint = did_you_mean(&text, known);
                let backend = &self.name;
                let known = list(known);
                Err(Error::new(
                    name.span(),
                    format!(
                        "unknown option `{text}`{hint}; the options of `{backend}` are: {known}"
                    ),
                ))
            }
        }
    }

    fn flavor(&mut self, value: &Expr) -> syn::Result<()> {
        const FLAVORS: [&str; 2] = ["current_thread", "multi_thread"];
        let flavor = match value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(flavor),
                ..
            }) => flavor.value(),
            Expr::Path(path) => path
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default(),
            _ => String::new(),
        };
        match flavor.as_str() {
            "current_thread" => {
                // Before the number of threads, which it limits.
                self.options.insert(0, quote!(.current_thread()));
                self.suffix.insert_str(0, "_current_thread");
                Ok(())
            }
            "multi_thread" => {
                self.suffix.insert_str(0, "_multi_thread");
                Ok(())
            }
            other => {
                let hint = did_you_mean(other, &FLAVORS);
                let names = list(&FLAVORS);
                Err(Error::new_spanned(
                    value,
                    format!("unknown flavor{hint}; there are: {names}"),
                ))
            }
        }
    }

    fn threads(&mut self, name: &Ident, value: &Expr) -> syn::Result<()> {
        if let Expr::Lit(ExprLit {
            lit: Lit::Int(count),
            ..
        }) = value
        {
            let count: usize = LitInt::base10_parse(count)?;
            if count == 0 {
                return Err(Error::new_spanned(
                    value,
                    "a backend needs at least one thread",
                ));
            }
            if self.suffix == "_current_thread" && count != 1 {
                return Err(Error::new_spanned(
                    value,
                    "the flavor `current_thread` has one thread",
                ));
            }
            self.suffix.push_str(&format!("_{count}_threads"));
        }
        self.options.push(quote!(.#name(#value)));
        Ok(())
    }
}

/// `name = value`
struct Setting {
    name: Ident,
    value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}
