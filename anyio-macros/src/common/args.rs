//! `name = value` options, which come before everything else.

use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, Path, Token};

use super::diag::{Errors, did_you_mean, list};
use super::krate::Krate;

/// The options given to a macro.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) krate: Krate,
    given: Vec<(Ident, Expr)>,
}

impl Options {
    /// Reads the leading options, of which the macro knows those in `known`.
    ///
    /// Stops before the first thing that is not `name = …`. Everybody knows `crate = path`.
    pub(crate) fn parse(
        input: ParseStream<'_>,
        known: &[&str],
        errors: &mut Errors,
    ) -> syn::Result<Self> {
        let mut options = Self::default();
        while input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            if name == "crate" {
                options.krate = Krate::renamed(input.call(Path::parse_mod_style)?);
            } else {
                let value = input.parse()?;
                options.add(name, value, known, errors);
            }
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        Ok(options)
    }

    fn add(&mut self, name: Ident, value: Expr, known: &[&str], errors: &mut Errors) {
        let text = name.to_string();
        if !known.contains(&text.as_str()) {
            let hint = did_you_mean(&text, known);
            let known = list(known);
            errors.push(Error::new(
                name.span(),
                format!("unknown option `{text}`{hint}; the options here are: {known}"),
            ));
        } else if self.given.iter().any(|(given, _)| *given == name) {
            errors.push(Error::new(
                name.span(),
                format!("option `{text}` is given twice"),
            ));
        } else {
            self.given.push((name, value));
        }
    }

    /// The value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&Expr> {
        self.given
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value)
    }
}
