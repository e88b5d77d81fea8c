//! [`ErrorGroup`]: all the errors of a task group.

use std::error::Error;
use std::fmt;
use std::slice;
use std::vec;

/// The errors of a task group, in the order in which they came in; at least one.
///
/// None is lost: children that fail while the group is being cancelled are in here as well. Panics and
/// cancellations are not errors. Prints as a tree, with the errors of inner groups below.
///
/// ```
/// use anyio::{ErrorGroup, task_group};
///
/// # #[anyio::main]
/// # async fn main() {
/// let result: Result<(), ErrorGroup<String>> = task_group!(|tg| -> Result<(), String> {
///     tg.spawn(async { Err::<(), _>("disk full".to_owned()) });
///     tg.spawn(async { Err::<(), _>("no route to host".to_owned()) });
///     Ok(())
/// });
/// let errors = result.unwrap_err();
/// assert_eq!(errors.len(), 2);
/// assert_eq!(errors.first(), "disk full");
/// assert_eq!(errors.to_string(), "\
/// 2 errors in a task group
/// ├─ disk full
/// └─ no route to host");
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ErrorGroup<E> {
    /// Never empty.
    errors: Vec<E>,
    name: Option<String>,
}

impl<E> ErrorGroup<E> {
    /// A group of these errors, `None` if there are none.
    pub(crate) fn from_errors(errors: Vec<E>, name: Option<String>) -> Option<Self> {
        if errors.is_empty() {
            None
        } else {
            Some(Self { errors, name })
        }
    }

    /// A group of these errors, as a task group of that name would give it.
    ///
    /// ```
    /// let group = anyio::ErrorGroup::new(["a", "b"]).unwrap();
    /// assert_eq!(group.len(), 2);
    /// assert!(anyio::ErrorGroup::<&str>::new([]).is_none());
    /// ```
    #[must_use]
    pub fn new(errors: impl IntoIterator<Item = E>) -> Option<Self> {
        Self::from_errors(errors.into_iter().collect(), None)
    }

    /// The name of the task group, if it had one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The first error: the one that cancelled the rest.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // never empty
    pub fn first(&self) -> &E {
        self.errors.first().expect("an error group is never empty")
    }

    /// The first error, dropping the others.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // never empty
    pub fn into_first(self) -> E {
        self.errors
            .into_iter()
            .next()
            .expect("an error group is never empty")
    }

    /// How many errors there are, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.errors.len()
    }

    /// The errors, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, E> {
        Iter {
            inner: self.errors.iter(),
        }
    }

    /// Splits by a predicate, keeping the order: those that meet it, and the rest.
    ///
    /// ```
    /// let group = anyio::ErrorGroup::new([1, 2, 3]).unwrap();
    /// let (odd, even) = group.split(|n| n % 2 == 1);
    /// assert_eq!(odd.unwrap().into_iter().collect::<Vec<_>>(), [1, 3]);
    /// assert_eq!(even.unwrap().into_first(), 2);
    /// ```
    #[must_use]
    pub fn split(self, mut meets: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        let (these, those) = self.errors.into_iter().partition(|error| meets(error));
        (
            Self::from_errors(these, self.name.clone()),
            Self::from_errors(those, self.name),
        )
    }

    /// Keeps the errors that meet the predicate; `None` if none does.
    #[must_use]
    pub fn filter(self, meets: impl FnMut(&E) -> bool) -> Option<Self> {
        self.split(meets).0
    }

    /// The same group with each error turned into another.
    #[must_use]
    pub fn map<F>(self, turn: impl FnMut(E) -> F) -> ErrorGroup<F> {
        ErrorGroup {
            errors: self.errors.into_iter().map(turn).collect(),
            name: self.name,
        }
    }

    /// Prints the tree, `line` writing one error.
    fn tree(&self, f: &mut fmt::Formatter<'_>, line: impl Fn(&E) -> String) -> fmt::Result {
        let count = self.errors.len();
        write!(f, "{count} error{} in ", if count == 1 { "" } else { "s" })?;
        match &self.name {
            Some(name) => write!(f, "task group `{name}`")?,
            None => f.write_str("a task group")?,
        }
        for (n, error) in self.errors.iter().enumerate() {
            let (branch, below) = if n + 1 == count {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            // An inner group writes several lines; they belong below its branch.
            for (n, text) in line(error).lines().enumerate() {
                write!(f, "\n{}{text}", if n == 0 { branch } else { below })?;
            }
        }
        Ok(())
    }
}

impl<E: fmt::Display> fmt::Display for ErrorGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The alternate form is passed on: some errors write their causes in it.
        if f.alternate() {
            self.tree(f, |error| format!("{error:#}"))
        } else {
            self.tree(f, ToString::to_string)
        }
    }
}

/// The tree, as [`Display`](fmt::Display) writes it, since `main` prints errors this way.
impl<E: fmt::Debug> fmt::Debug for ErrorGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            f.debug_struct("ErrorGroup")
                .field("name", &self.name)
                .field("errors", &self.errors)
                .finish()
        } else {
            self.tree(f, |error| format!("{error:?}"))
        }
    }
}

// Asks for no `E: Error`, so that groups of `Box<dyn Error>` or `anyhow::Error` are errors too. There is no
// one source: each error of the group prints below it.
impl<E: fmt::Debug + fmt::Display> Error for ErrorGroup<E> {}

impl<E> IntoIterator for ErrorGroup<E> {
    type Item = E;
    type IntoIter = vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a ErrorGroup<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The errors of a group, in order, from [`ErrorGroup::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a, E> {
    inner: slice::Iter<'a, E>,
}

impl<'a, E> Iterator for Iter<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<E> ExactSizeIterator for Iter<'_, E> {}

impl<E> DoubleEndedIterator for Iter<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.inner.next_back()
    }
}
