//! Expansions kept as text, to be read in review and by the curious: `expansions.md` beside each macro.
//!
//! `ANYIO_EXPAND=overwrite cargo test -p anyio-macros` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

/// Expands each of `cases`, a title and a call of the macro, and compares with the file in `folder`.
pub(crate) fn check(folder: &str, cases: &[(&str, &str, TokenStream)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder)
        .join("expansions.md");
    let mut text = String::from(
        "<!-- Written by `ANYIO_EXPAND=overwrite cargo test -p anyio-macros`; read the difference before you keep it. -->\n",
    );
    for (title, call, expanded) in cases {
        write!(
            text,
            "\n## {title}\n\n```rust,ignore\n{call}\n```\n\n```rust,ignore\n{}```\n",
            pretty(expanded)
        )
        .expect("a string takes everything");
    }
    if std::env::var("ANYIO_EXPAND").is_ok_and(|what| what == "overwrite") {
        fs::write(&path, text).expect("the folder is there");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not what the macros expand to any more; write it anew with `ANYIO_EXPAND=overwrite` and read \
         the difference. It would be:\n{text}",
        path.display()
    );
}

/// Statements or items, laid out.
fn pretty(tokens: &TokenStream) -> String {
    if let Ok(file) = syn::parse2(tokens.clone()) {
        return short(&prettyplease::unparse(&file));
    }
    let file = syn::parse2(quote!(fn wrapper() { #tokens }))
        .unwrap_or_else(|error| panic!("neither items nor an expression: {error}\n{tokens}"));
    let text = prettyplease::unparse(&file);
    let inside: String = text
        .lines()
        .skip(1)
        .filter(|line| line.starts_with(' '))
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    short(&inside)
}

/// The path that every name is under says nothing to a reader.
fn short(text: &str) -> String {
    text.replace("::anyio::__private::", "anyio::")
}

/// The messages of the `compile_error!`s in an expansion, wherever they are.
pub(crate) fn messages(tokens: &TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => named = ident == "compile_error",
            TokenTree::Group(group) if named => {
                let message: syn::LitStr = syn::parse2(group.stream()).expect("one literal");
                found.push(message.value());
                named = false;
            }
            TokenTree::Group(group) => found.extend(messages(&group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// What somebody wrote, as tokens.
pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().expect("a list of tokens")
}
