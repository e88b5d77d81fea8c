//! The last argument of a macro: the body.
//!
//! A block is part of the surrounding function, a closure is a function of its own, and anything else is an
//! expression that gives a future. What a body says inside is not looked at here, so that an editor gets
//! its tokens back however unfinished they are.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Error, Expr, Pat, Token, Type};

use super::diag::Errors;
use super::krate::Krate;

/// A body, by its form.
pub(crate) enum Body {
    /// `{ … }`
    Block(TokenStream),
    /// `|param| -> Type { … }`
    Closure(Box<Closure>),
    /// A future, or the beginning of something: the user may be typing.
    Future(TokenStream),
}

/// `|param| { … }`, perhaps with a type.
pub(crate) struct Closure {
    pub(crate) param: Param,
    pub(crate) output: Option<Type>,
    pub(crate) capture: Option<Token![move]>,
    /// A block or another expression.
    pub(crate) body: TokenStream,
}

/// The parameter of a closure.
pub(crate) struct Param {
    pub(crate) pat: Pat,
    pub(crate) ty: Option<Type>,
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![|])
            || input.peek(Token![||])
            || (input.peek(Token![move]) && input.peek2(Token![|]))
        {
            return Ok(Self::Closure(Box::new(input.parse()?)));
        }
        if input.peek(Token![async])
            && (input.peek2(Token![|]) || input.peek2(Token![move]) && input.peek3(Token![|]))
        {
            return Err(input.error(
                "the macro awaits the body by itself: write `|name| { … }` without `async`",
            ));
        }
        let tokens = rest(input)?;
        Ok(match block(&tokens) {
            true => Self::Block(tokens),
            false => Self::Future(tokens),
        })
    }
}

impl Parse for Closure {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let capture = input.parse()?;
        if input.peek(Token![||]) {
            return Err(input.error("the body takes one parameter: `|name| { … }`"));
        }
        input.parse::<Token![|]>()?;
        let pat = input.call(Pat::parse_single)?;
        let ty = if input.peek(Token![:]) {
            input.parse::<Token![:]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        if input.peek(Token![,]) && !input.peek2(Token![|]) {
            return Err(input.error("the body takes one parameter only"));
        }
        input.parse::<Option<Token![,]>>()?;
        input.parse::<Token![|]>()?;
        let output = if input.peek(Token![->]) {
            input.parse::<Token![->]>()?;
            Some(input.call(Type::without_plus)?)
        } else {
            None
        };
        Ok(Self {
            param: Param { pat, ty },
            output,
            capture,
            body: rest(input)?,
        })
    }
}

impl Closure {
    /// `let param: Type = value;`
    pub(crate) fn bind(&self, value: &TokenStream) -> TokenStream {
        let Param { pat, ty } = &self.param;
        let ty = ty.as_ref().map(|ty| quote!(: #ty));
        quote!(let #pat #ty = #value;)
    }

    /// The body as a future, which gives the annotated type if there is one.
    pub(crate) fn future(&self, krate: &Krate) -> TokenStream {
        let Self {
            capture,
            output,
            body,
            ..
        } = self;
        let body = if block(body) {
            body.clone()
        } else {
            quote!({ #body })
        };
        let future = quote!(async #capture #body);
        match output {
            None => future,
            Some(output) => {
                let private = krate.private();
                quote!(#private::output::<#output, _>(#future))
            }
        }
    }

    /// Reports a `?` in a body without annotation, where it would mean nothing: an async block does not
    /// say what its errors are. The body is mended so that this stays the only error.
    pub(crate) fn refuse_question_marks(
        &mut self,
        macro_name: &str,
        krate: &Krate,
        errors: &mut Errors,
    ) {
        if self.output.is_some() {
            return;
        }
        let Ok(mut block) = syn::parse2::<Block>(self.body.clone()) else {
            return;
        };
        let mut found = QuestionMarks {
            krate,
            spans: Vec::new(),
        };
        found.visit_block_mut(&mut block);
        if found.spans.is_empty() {
            return;
        }
        for question in found.spans {
            let param = self.param.pat.to_token_stream();
            errors.push(Error::new(
                question.span,
                format!(
                    "`?` needs to know what the body of `{macro_name}!` returns: annotate it, as in \
                     `{macro_name}!(|{param}| -> Result<_, Error> {{ … }})`"
                ),
            ));
        }
        self.body = block.into_token_stream();
    }
}

/// Finds the `?` of a body itself and replaces them by something that type-checks.
struct QuestionMarks<'a> {
    krate: &'a Krate,
    spans: Vec<Token![?]>,
}

impl VisitMut for QuestionMarks<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => {}
            Expr::Try(question) => {
                self.visit_expr_mut(&mut question.expr);
                self.spans.push(question.question_token);
                let private = self.krate.private();
                let inner = &question.expr;
                *expr = Expr::Verbatim(quote!(#private::assume(#inner)));
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}

/// Whether `tokens` is one brace group.
pub(crate) fn block(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!(
        (tokens.next(), tokens.next()),
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace
    )
}

/// What is left of the input, without a trailing comma after one token tree or more.
fn rest(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
    if tokens.len() > 1
        && matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',')
    {
        tokens.pop();
    }
    if let [TokenTree::Group(first), TokenTree::Punct(comma), more, ..] = tokens.as_slice()
        && first.delimiter() == Delimiter::Brace
        && comma.as_char() == ','
    {
        return Err(Error::new(
            more.span(),
            "the body comes last; options (`name = value`) come first",
        ));
    }
    Ok(tokens.into_iter().collect())
}
