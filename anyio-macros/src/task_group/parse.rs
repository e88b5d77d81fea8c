//! Reading the arguments of a task group.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};

use super::Marker;
use crate::common::args::Options;
use crate::common::body::{Body, Closure};
use crate::common::diag::Errors;

/// The arguments of a task group.
pub(super) struct Call {
    pub(super) options: Options,
    pub(super) body: Box<Closure>,
    pub(super) errors: Errors,
}

pub(super) fn parse(input: TokenStream, marker: Marker) -> syn::Result<Call> {
    (|input: ParseStream<'_>| call(input, marker)).parse2(input)
}

fn call(input: ParseStream<'_>, marker: Marker) -> syn::Result<Call> {
    let name = match marker {
        Marker::Threaded => "task_group",
        Marker::Local => "local_task_group",
    };
    let mut errors = Errors::default();
    let options = Options::parse(input, &["name", "shield"], &mut errors)?;
    let start = input.cursor().span();
    let Body::Closure(mut body) = input.parse()? else {
        return Err(syn::Error::new(
            start,
            format!(
                "`{name}!` takes a closure, whose parameter is the group: `{name}!(|tg| {{ … }})`"
            ),
        ));
    };
    body.refuse_question_marks(name, &options.krate, &mut errors);
    Ok(Call {
        options,
        body,
        errors,
    })
}
