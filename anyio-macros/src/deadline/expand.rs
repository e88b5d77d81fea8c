//! Timeouts as tokens.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};

use super::parse::Call;
use super::{Limit, Otherwise};
use crate::common::body::Body;
use crate::common::duration;
use crate::common::flow::Flow;

pub(super) fn expand(call: Call, limit: Limit, otherwise: Otherwise) -> TokenStream {
    let Call {
        options,
        limit: value,
        body,
        mut errors,
    } = call;
    let krate = &options.krate;
    let private = krate.private();

    let shield = options.get("shield").map(|shield| quote!(.shield(#shield)));
    let scope = match limit {
        Limit::After => {
            let delay = duration::expand(value, krate, &mut errors);
            quote!(#private::scope_after(#delay)#shield)
        }
        Limit::At => {
            let deadline = value.into_token_stream();
            quote!(#private::scope_at(#deadline)#shield)
        }
    };
    let run = match otherwise {
        Otherwise::MoveOn => quote!(#private::move_on),
        Otherwise::Fail => match options.get("reason") {
            None => quote!(#private::fail),
            Some(reason) => quote!(#private::FailBecause(#reason).fail),
        },
    };
    let errors = errors.into_tokens();
    match body {
        Body::Block(block) => {
            let flow = Flow::new(&block, krate);
            let future = &flow.future;
            let landed = flow.land(&quote!(__ended));
            let result = match (flow.escapes(), otherwise) {
                (false, _) => quote!(__ended),
                (true, Otherwise::MoveOn) => quote!(match __ended {
                    #private::Some(__ended) => #private::Some(#landed),
                    #private::None => #private::None,
                }),
                (true, Otherwise::Fail) => quote!(match __ended {
                    #private::Ok(__ended) => #private::Ok(#landed),
                    #private::Err(__error) => #private::Err(__error),
                }),
            };
            quote!({
                #errors
                let __ended = #run(#scope, #future).await;
                #result
            })
        }
        Body::Closure(closure) => {
            let bind = closure.bind(&quote!(#private::handle(&__scope)));
            let future = closure.future(krate);
            quote!({
                #errors
                let __scope = #scope;
                #bind
                let __ended = #run(__scope, #future).await;
                __ended
            })
        }
        Body::Future(future) => quote!({
            #errors
            let __ended = #run(#scope, #future).await;
            __ended
        }),
    }
}
