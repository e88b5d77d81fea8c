//! Control flow out of a block that becomes a future of its own.
//!
//! The block of `move_on_after!(5s, { … })` has to be an async block, in which `return`, `?`, `break` and
//! `continue` would mean something else than the user wrote. So each that leaves the block is rewritten to
//! leave the async block with a note of what it wanted, and after the await the note is acted upon:
//!
//! ```text
//! { if done { break } let n = read()?; n }
//!
//! match move_on_after(5s, async {
//!     Flow::Value({
//!         if done { return Flow::Exit(Or::A(())) }
//!         let n = match branch(read()) { Continue(n) => n, Break(e) => return Flow::Exit(Or::B(Or::A(e))) };
//!         n
//!     })
//! }).await {
//!     Some(Flow::Value(n)) => Some(n),
//!     Some(Flow::Exit(Or::A(()))) => break,
//!     Some(Flow::Exit(Or::B(Or::A(e)))) => match e? {},
//!     …
//! }
//! ```
//!
//! Each kind of exit is a *slot* with a type of its own, injected into nested `Or`s, so that nothing has to
//! be named and types are inferred as if the block were in place. `e?` is Rust's own operator, with its own
//! conversion of errors. Closures, async blocks, items and inner loops are left alone. Macros are looked
//! into if their arguments are expressions (which includes ours, so that nesting works: an inner one
//! finds `return`s where an outer one has been before), or those of a `select!`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser as _};
use syn::token::Brace;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprBreak, ExprMatch, ExprReturn, Item, Label, Lifetime, Macro, Pat, Token,
    parse_quote_spanned,
};

use super::krate::Krate;

/// A block that was made into a future, and the ways out of it.
pub(crate) struct Flow {
    /// `async { … }`
    pub(crate) future: TokenStream,
    private: TokenStream,
    slots: Vec<Slot>,
}

/// One way out.
enum Slot {
    Return(Span),
    Question(Token![?]),
    Break {
        label: Option<Lifetime>,
        value: bool,
        span: Span,
    },
    Continue {
        label: Option<Lifetime>,
        span: Span,
    },
}

impl Flow {
    /// Makes a future of `block`, a brace group. One that cannot be read (somebody is typing) is passed on
    /// as it is.
    pub(crate) fn new(block: &TokenStream, krate: &Krate) -> Self {
        let private = krate.private();
        let Ok(mut parsed) = syn::parse2::<Block>(block.clone()) else {
            return Self {
                future: quote!(async #block),
                private,
                slots: Vec::new(),
            };
        };
        let mut rewriter = Rewriter {
            private: &private,
            slots: Vec::new(),
            labels: Vec::new(),
            loops: 0,
            changed: false,
        };
        rewriter.visit_block_mut(&mut parsed);
        let slots = rewriter.slots;
        let future = if slots.is_empty() {
            quote!(async #block)
        } else {
            // Braces of ours: around a single expression the compiler would call the user's needless.
            parsed.brace_token = Brace(Span::mixed_site());
            quote!(async {
                #[allow(clippy::let_unit_value)]
                let __value = #parsed;
                // Unreachable if the block always leaves otherwise.
                #[allow(unreachable_code, clippy::needless_return)]
                return #private::Flow::Value(__value);
            })
        };
        Self {
            future,
            private,
            slots,
        }
    }

    /// Whether anything leaves the block other than by its end.
    pub(crate) fn escapes(&self) -> bool {
        !self.slots.is_empty()
    }

    /// The first place where something leaves the block, and what it is.
    pub(crate) fn first_escape(&self) -> Option<(Span, &'static str)> {
        self.slots.first().map(|slot| match slot {
            Slot::Return(span) => (*span, "return"),
            Slot::Question(question) => (question.span, "?"),
            Slot::Break { span, .. } => (*span, "break"),
            Slot::Continue { span, .. } => (*span, "continue"),
        })
    }

    /// `value`, of the type that the future gives, with the ways out acted upon.
    pub(crate) fn land(&self, value: &TokenStream) -> TokenStream {
        if !self.escapes() {
            return value.clone();
        }
        let private = &self.private;
        let arms = self.slots.iter().enumerate().map(|(n, slot)| {
            let bound = quote!(__exit);
            let pattern = inject(private, n, &bound);
            let act = slot.act(&bound);
            quote!(#private::Flow::Exit(#pattern) => #act,)
        });
        let nowhere = beyond(private, self.slots.len(), &quote!(__nowhere));
        quote!(match #value {
            #private::Flow::Value(__value) => __value,
            #(#arms)*
            #private::Flow::Exit(#nowhere) => #private::nowhere(__nowhere),
        })
    }
}

impl Slot {
    /// What it does outside the block, with what it brought bound to `bound`.
    fn act(&self, bound: &TokenStream) -> TokenStream {
        match self {
            Self::Return(span) => quote_spanned!(*span=> return #bound),
            // The operator has the user's span, so that a missing conversion is reported there.
            Self::Question(question) => quote!(match #bound #question {}),
            Self::Break {
                label,
                value: true,
                span,
            } => quote_spanned!(*span=> break #label #bound),
            Self::Break {
                label,
                value: false,
                span,
            } => quote_spanned!(*span=> { let () = #bound; break #label }),
            Self::Continue { label, span } => {
                quote_spanned!(*span=> { let () = #bound; continue #label })
            }
        }
    }
}

/// `value` in slot `n`: `Or::B(Or::B(Or::A(value)))`.
fn inject(private: &TokenStream, n: usize, value: &TokenStream) -> TokenStream {
    beyond(private, n, &quote!(#private::Or::A(#value)))
}

fn beyond(private: &TokenStream, n: usize, value: &TokenStream) -> TokenStream {
    (0..n).fold(value.clone(), |value, _| quote!(#private::Or::B(#value)))
}

struct Rewriter<'a> {
    private: &'a TokenStream,
    slots: Vec<Slot>,
    /// Labels defined inside the block.
    labels: Vec<Lifetime>,
    /// How many loops of the block are around.
    loops: usize,
    /// Whether anything was rewritten since somebody last cleared this.
    changed: bool,
}

impl Rewriter<'_> {
    /// The number of the slot that `is` describes, made by `make` if there is none.
    fn slot(&mut self, is: impl Fn(&Slot) -> bool, make: impl FnOnce() -> Slot) -> usize {
        self.slots.iter().position(is).unwrap_or_else(|| {
            self.slots.push(make());
            self.slots.len() - 1
        })
    }

    /// `return` with what goes into slot `n`. An expression of syn's own, so that it gets parentheses where
    /// it needs them.
    fn leave(&mut self, n: usize, value: &TokenStream, span: Span) -> Expr {
        self.changed = true;
        let private = self.private;
        let exit = inject(private, n, value);
        Expr::Return(ExprReturn {
            attrs: Vec::new(),
            return_token: Token![return](span),
            expr: Some(Box::new(Expr::Verbatim(
                quote!(#private::Flow::Exit(#exit)),
            ))),
        })
    }

    /// Whether a `break` or `continue` with this label stays inside the block.
    fn stays(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => self.labels.contains(label),
            None => self.loops > 0,
        }
    }

    fn inside_label(&mut self, label: Option<&Label>, visit: impl FnOnce(&mut Self)) {
        if let Some(label) = label {
            self.labels.push(label.name.clone());
        }
        visit(self);
        if label.is_some() {
            self.labels.pop();
        }
    }

    fn inside_loop(&mut self, label: Option<&Label>, visit: impl FnOnce(&mut Self)) {
        self.loops += 1;
        self.inside_label(label, visit);
        self.loops -= 1;
    }

    fn question(&mut self, inner: &Expr, question: Token![?]) -> Expr {
        // Not shared: each `?` may have an error of another type.
        let n = self.slots.len();
        self.slots.push(Slot::Question(question));
        let private = self.private;
        let exit = self.leave(n, &quote!(__residual), question.span);
        let mut branch: ExprMatch = parse_quote_spanned!(question.span=> match () {
            #private::ControlFlow::Continue(__value) => __value,
            #private::ControlFlow::Break(__residual) => #exit,
        });
        let call = quote_spanned!(question.span=> #private::branch(#inner));
        branch.expr = Box::new(Expr::Verbatim(call));
        Expr::Match(branch)
    }

    fn break_(&mut self, expr: &ExprBreak) -> Expr {
        let (label, value, span) = (
            expr.label.clone(),
            expr.expr.is_some(),
            expr.break_token.span,
        );
        let n = self.slot(
            |slot| matches!(slot, Slot::Break { label: other, .. } if *other == label),
            || Slot::Break {
                label: label.clone(),
                value,
                span,
            },
        );
        let value = expr
            .expr
            .as_ref()
            .map_or_else(|| quote!(()), ToTokens::to_token_stream);
        self.leave(n, &value, span)
    }
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            // Functions of their own.
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => {}
            Expr::Block(block) => {
                self.inside_label(block.label.as_ref(), |this| {
                    this.visit_block_mut(&mut block.block)
                });
            }
            Expr::Loop(body) => {
                self.inside_loop(body.label.as_ref(), |this| {
                    this.visit_block_mut(&mut body.body)
                });
            }
            Expr::While(body) => {
                self.inside_loop(body.label.as_ref(), |this| {
                    this.visit_expr_mut(&mut body.cond);
                    this.visit_block_mut(&mut body.body);
                });
            }
            Expr::ForLoop(body) => {
                self.visit_expr_mut(&mut body.expr);
                self.inside_loop(body.label.as_ref(), |this| {
                    this.visit_block_mut(&mut body.body)
                });
            }
            Expr::Try(question) => {
                self.visit_expr_mut(&mut question.expr);
                *expr = self.question(&question.expr, question.question_token);
            }
            Expr::Return(leave) => {
                if let Some(value) = &mut leave.expr {
                    self.visit_expr_mut(value);
                }
                let span = leave.return_token.span;
                let value = leave
                    .expr
                    .as_ref()
                    .map_or_else(|| quote!(()), ToTokens::to_token_stream);
                let n = self.slot(
                    |slot| matches!(slot, Slot::Return(_)),
                    || Slot::Return(span),
                );
                *expr = self.leave(n, &value, span);
            }
            Expr::Break(leave) => {
                if let Some(value) = &mut leave.expr {
                    self.visit_expr_mut(value);
                }
                if !self.stays(leave.label.as_ref()) {
                    *expr = self.break_(leave);
                }
            }
            Expr::Continue(leave) if !self.stays(leave.label.as_ref()) => {
                let (label, span) = (leave.label.clone(), leave.continue_token.span);
                let n = self.slot(
                    |slot| matches!(slot, Slot::Continue { label: other, .. } if *other == label),
                    || Slot::Continue {
                        label: label.clone(),
                        span,
                    },
                );
                *expr = self.leave(n, &quote!(()), span);
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let tokens = mac.tokens.clone();
        let select = mac
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "select" || last.ident == "select_biased");
        let before = std::mem::replace(&mut self.changed, false);
        let slots = self.slots.len();
        let rewritten = if select {
            (|input: ParseStream<'_>| self.select(input)).parse2(tokens)
        } else {
            (|input: ParseStream<'_>| self.arguments(input)).parse2(tokens)
        };
        match rewritten {
            Ok(rewritten) if self.changed => mac.tokens = rewritten,
            Ok(_) => {}
            // Not made of expressions: what it means is its own affair.
            Err(_) => self.slots.truncate(slots),
        }
        self.changed |= before;
    }
}

/// Macros whose arguments are read as far as they are Rust.
impl Rewriter<'_> {
    /// `a, b, c` or `a; b`, all expressions.
    fn arguments(&mut self, input: ParseStream<'_>) -> syn::Result<TokenStream> {
        let mut rewritten = TokenStream::new();
        while !input.is_empty() {
            let mut argument: Expr = input.parse()?;
            self.visit_expr_mut(&mut argument);
            argument.to_tokens(&mut rewritten);
            if !input.is_empty() {
                let separator = if input.peek(Token![;]) {
                    input.parse::<Token![;]>()?.into_token_stream()
                } else {
                    input.parse::<Token![,]>()?.into_token_stream()
                };
                rewritten.extend(separator);
            }
        }
        Ok(rewritten)
    }

    /// `biased; pattern = future, if condition => handler, else => handler`
    fn select(&mut self, input: ParseStream<'_>) -> syn::Result<TokenStream> {
        let mut rewritten = TokenStream::new();
        if input.peek(syn::Ident) && input.peek2(Token![;]) {
            input.parse::<syn::Ident>()?.to_tokens(&mut rewritten);
            input.parse::<Token![;]>()?.to_tokens(&mut rewritten);
        }
        while !input.is_empty() {
            if (input.peek(Token![else]) || input.peek(syn::Ident)) && input.peek2(Token![=>]) {
                // `else`, `default` or `complete`
                input
                    .parse::<proc_macro2::TokenTree>()?
                    .to_tokens(&mut rewritten);
            } else {
                input
                    .call(Pat::parse_multi_with_leading_vert)?
                    .to_tokens(&mut rewritten);
                input.parse::<Token![=]>()?.to_tokens(&mut rewritten);
                self.visited(input)?.to_tokens(&mut rewritten);
                if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?.to_tokens(&mut rewritten);
                    input.parse::<Token![if]>()?.to_tokens(&mut rewritten);
                    self.visited(input)?.to_tokens(&mut rewritten);
                }
            }
            input.parse::<Token![=>]>()?.to_tokens(&mut rewritten);
            self.visited(input)?.to_tokens(&mut rewritten);
            if let Some(comma) = input.parse::<Option<Token![,]>>()? {
                comma.to_tokens(&mut rewritten);
            }
        }
        Ok(rewritten)
    }

    fn visited(&mut self, input: ParseStream<'_>) -> syn::Result<Expr> {
        let mut expr = if input.peek(syn::token::Brace) {
            // A handler may be a block with another branch right behind it.
            Expr::Block(syn::ExprBlock {
                attrs: Vec::new(),
                label: None,
                block: input.parse()?,
            })
        } else {
            input.parse()?
        };
        self.visit_expr_mut(&mut expr);
        Ok(expr)
    }
}
