use super::{attribute2, expand2};
use crate::common::golden::{check, messages, tokens};

fn attribute(item: &str) -> proc_macro2::TokenStream {
    attribute2(tokens(""), tokens(item))
}

#[test]
fn expansions_are_as_kept() {
    let blocks = [
        ("A block", "{ commit().await?; }"),
        ("A future", "commit()"),
    ]
    .map(|(title, call)| (title, call, expand2(tokens(call))));
    let functions = [
        (
            "A function",
            "async fn commit(&self, rows: &[Row]) -> Result<u32, Error> { self.write(rows).await?; Ok(1) }",
        ),
        (
            "What `#[async_trait]` makes of a method",
            "fn commit<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> { Box::pin(async move { self.write().await }) }",
        ),
    ]
    .map(|(title, item)| (title, item, attribute(item)));
    check("shield", &[blocks, functions].concat());
}

#[test]
fn an_item_that_cannot_be_shielded_is_given_back_with_the_error() {
    for item in [
        "fn commit() -> u32 { 5 }",
        "struct Commit;",
        "async fn commit(&self);",
    ] {
        let expanded = attribute(item);
        assert_eq!(messages(&expanded).len(), 1, "{item}");
        assert!(
            expanded.to_string().ends_with(&tokens(item).to_string()),
            "{item}"
        );
    }
}
