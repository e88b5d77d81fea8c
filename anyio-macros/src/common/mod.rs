//! What the macros share: none of it knows a macro by name.

pub(crate) mod args;
pub(crate) mod backend;
pub(crate) mod body;
pub(crate) mod diag;
pub(crate) mod duration;
pub(crate) mod flow;
pub(crate) mod function;
#[cfg(test)]
pub(crate) mod golden;
pub(crate) mod krate;
