//! The type that carries all errors of a group.

use std::error::Error;
use std::fmt;

use anyio::{ErrorGroup, checkpoint, task_group};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Plain(&'static str);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Plain {}

fn group(texts: &[&'static str]) -> ErrorGroup<Plain> {
    ErrorGroup::new(texts.iter().copied().map(Plain)).expect("not empty")
}

#[test]
fn there_is_no_empty_group() {
    assert!(ErrorGroup::<Plain>::new([]).is_none());
}

#[test]
fn errors_keep_their_order() {
    let errors = group(&["one", "two", "three"]);
    assert_eq!(errors.len(), 3);
    assert_eq!(errors.first(), &Plain("one"));
    let texts: Vec<_> = errors.iter().map(|error| error.0).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    let backwards: Vec<_> = errors.iter().rev().map(|error| error.0).collect();
    assert_eq!(backwards, ["three", "two", "one"]);
    assert_eq!(errors.iter().len(), 3);
    let by_reference: Vec<_> = (&errors).into_iter().collect();
    assert_eq!(by_reference.len(), 3);
    let owned: Vec<_> = errors.clone().into_iter().collect();
    assert_eq!(owned, [Plain("one"), Plain("two"), Plain("three")]);
    assert_eq!(errors.into_first(), Plain("one"));
}

#[test]
fn splitting_keeps_order_and_name() {
    let (short, long) = group(&["a", "long", "b", "longer"]).split(|error| error.0.len() == 1);
    assert_eq!(short, Some(group(&["a", "b"])));
    assert_eq!(long, Some(group(&["long", "longer"])));
    assert_eq!(group(&["a"]).split(|_| true), (Some(group(&["a"])), None));
    assert_eq!(group(&["a"]).split(|_| false), (None, Some(group(&["a"]))));
}

#[test]
fn filtering_may_leave_nothing() {
    assert_eq!(
        group(&["a", "b"]).filter(|error| error.0 == "b"),
        Some(group(&["b"]))
    );
    assert_eq!(group(&["a", "b"]).filter(|_| false), None);
}

#[test]
fn mapping_turns_each_error() {
    let lengths = group(&["a", "bcd"]).map(|error| error.0.len());
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn one_error_is_written_in_the_singular() {
    assert_eq!(
        group(&["disk full"]).to_string(),
        "1 error in a task group\n└─ disk full"
    );
}

#[test]
fn a_group_is_written_as_a_tree() {
    let inner = ErrorGroup::new([group(&["one", "two"]), group(&["three\nlines\nlong"])]);
    assert_eq!(
        inner.unwrap().to_string(),
        "\
2 errors in a task group
├─ 2 errors in a task group
│  ├─ one
│  └─ two
└─ 1 error in a task group
   └─ three
      lines
      long"
    );
}

#[test]
fn debug_output_is_the_tree_too_and_the_fields_in_its_long_form() {
    let errors = group(&["one"]);
    assert_eq!(
        format!("{errors:?}"),
        "1 error in a task group\n└─ Plain(\"one\")"
    );
    let long = format!("{errors:#?}");
    assert!(long.starts_with("ErrorGroup {"), "{long}");
    assert!(long.contains("name: None"), "{long}");
}

#[test]
fn the_alternate_form_is_passed_on_to_the_errors() {
    struct Both;
    impl fmt::Display for Both {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if f.alternate() {
                "with causes"
            } else {
                "short"
            })
        }
    }

    let errors = ErrorGroup::new([Both]).unwrap();
    assert!(format!("{errors}").ends_with("short"));
    assert!(format!("{errors:#}").ends_with("with causes"));
}

#[test]
fn a_group_is_an_error_and_can_be_found_again() {
    let error: Box<dyn Error + Send + Sync> = group(&["one", "two"]).into();
    assert!(
        error.source().is_none(),
        "each error is in the text already"
    );
    let errors = error.downcast::<ErrorGroup<Plain>>().unwrap();
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_group_of_boxed_errors_is_an_error_as_well() {
    let boxed: Vec<Box<dyn Error + Send + Sync>> = vec!["text".into(), Plain("plain").into()];
    let errors = ErrorGroup::new(boxed).unwrap();
    let error: &dyn Error = &errors;
    assert_eq!(
        error.to_string(),
        "2 errors in a task group\n├─ text\n└─ plain"
    );
}

#[anyio::test]
async fn errors_come_in_the_order_in_which_they_happened() {
    let result = task_group!(|tg| -> Result<(), u32> {
        for n in [3, 1, 2] {
            tg.spawn(async move {
                anyio::shield!({
                    for _ in 0..n * 5 {
                        checkpoint().await;
                    }
                });
                Err::<(), _>(n)
            });
        }
        Ok(())
    });
    let errors: Vec<_> = result.unwrap_err().into_iter().collect();
    assert_eq!(errors, [1, 2, 3]);
}

#[anyio::test]
async fn the_question_mark_carries_a_group_out_of_a_function() {
    async fn inner() -> Result<(), ErrorGroup<Plain>> {
        task_group!(|tg| -> Result<(), Plain> {
            tg.spawn(async { Err::<(), _>(Plain("inner")) });
            Ok(())
        })
    }

    async fn outer() -> Result<(), Box<dyn Error>> {
        inner().await?;
        Ok(())
    }

    let error = outer().await.unwrap_err();
    assert_eq!(error.to_string(), "1 error in a task group\n└─ inner");
}

#[anyio::test]
async fn nested_groups_print_as_one_tree() {
    let result = task_group!(name = "outer", |outer| -> Result<(), ErrorGroup<Plain>> {
        for name in ["left", "right"] {
            outer.spawn(async move {
                task_group!(name = name, |inner| -> Result<(), Plain> {
                    inner.spawn(async {
                        anyio::shield!({ checkpoint().await });
                        Err::<(), _>(Plain("disk full"))
                    });
                    Ok(())
                })
            });
        }
        Ok(())
    });
    assert_eq!(
        result.unwrap_err().to_string(),
        "\
2 errors in task group `outer`
├─ 1 error in task group `left`
│  └─ disk full
└─ 1 error in task group `right`
   └─ disk full"
    );
}
