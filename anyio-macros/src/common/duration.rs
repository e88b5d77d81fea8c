//! Durations as literals with a unit: `5s`, `1.5s`, `250ms`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::diag::{Errors, did_you_mean, list};
use super::krate::Krate;

/// The units, in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// Turns each literal with a unit in `expr` into a `Duration`; everything else stays as it is.
pub(crate) fn expand(mut expr: Expr, krate: &Krate, errors: &mut Errors) -> TokenStream {
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(_) | Lit::Float(_) | Lit::Str(_),
        ..
    }) = &expr
        && suffix(&expr).is_none_or(|suffix| suffix.is_empty())
    {
        errors.push(Error::new(
            expr.span(),
            "a duration needs a unit, as in `5s`, `1.5s` or `250ms`, or a `Duration` expression",
        ));
        return never(&expr, krate);
    }
    if let Expr::Unary(ExprUnary {
        op: UnOp::Neg(_),
        expr: inner,
        ..
    }) = &expr
        && suffix(inner).is_some()
    {
        errors.push(Error::new(expr.span(), "a duration cannot be negative"));
        return never(&expr, krate);
    }
    Literals { krate, errors }.visit_expr_mut(&mut expr);
    expr.into_token_stream()
}

/// A duration that type-checks where there is an error to report.
fn never(expr: &Expr, krate: &Krate) -> TokenStream {
    let private = krate.private();
    quote_spanned!(expr.span()=> #private::Duration::ZERO)
}

fn suffix(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(lit), ..
        }) => Some(lit.suffix()),
        Expr::Lit(ExprLit {
            lit: Lit::Float(lit),
            ..
        }) => Some(lit.suffix()),
        _ => None,
    }
}

struct Literals<'a> {
    krate: &'a Krate,
    errors: &'a mut Errors,
}

impl VisitMut for Literals<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match suffix(expr) {
            // Rust's own suffixes and bare numbers are numbers, as in `2 * 5s`.
            Some("" | "f32" | "f64") => {}
            Some(unit) if unit.starts_with(['u', 'i']) && unit != "us" => {}
            Some(_) => {
                let tokens = match literal(expr) {
                    Ok(nanos) => {
                        let private = self.krate.private();
                        let (secs, nanos) = (nanos / 1_000_000_000, (nanos % 1_000_000_000) as u32);
                        quote_spanned!(expr.span()=> #private::Duration::new(#secs, #nanos))
                    }
                    Err(error) => {
                        self.errors.push(error);
                        never(expr, self.krate)
                    }
                };
                *expr = Expr::Verbatim(quote!(#tokens));
            }
            None => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// The nanoseconds in a literal with a unit.
fn literal(expr: &Expr) -> syn::Result<u64> {
    let Expr::Lit(ExprLit { lit, .. }) = expr else {
        unreachable!("only literals have suffixes")
    };
    let unit = suffix(expr).expect("only literals have suffixes");
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let names = UNITS.map(|(name, _)| name);
        let hint = did_you_mean(unit, &names);
        let names = list(&names);
        return Err(Error::new(
            expr.span(),
            format!("unknown unit `{unit}`{hint}; the units are {names}"),
        ));
    };
    let too_long = || {
        Error::new(
            expr.span(),
            "this is longer than a deadline can be; leave the timeout out",
        )
    };
    match lit {
        Lit::Int(lit) => lit
            .base10_parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(*factor))
            .ok_or_else(too_long),
        Lit::Float(lit) => {
            let nanos = lit.base10_parse::<f64>()? * *factor as f64;
            if nanos != 0.0 && nanos.round() == 0.0 {
                Err(Error::new(
                    expr.span(),
                    "this is less than a nanosecond; write `0s` for none",
                ))
            } else if nanos < u64::MAX as f64 {
                Ok(nanos.round() as u64)
            } else {
                Err(too_long())
            }
        }
        _ => unreachable!("only numbers have suffixes"),
    }
}
