//! Why something was cancelled.

use std::fmt;
use std::sync::Arc;

use super::frame;
use crate::util::name::TaskName;

/// Why a region was cancelled. Cheap to clone; a deadline needs no allocation.
#[derive(Clone, Debug)]
pub(crate) enum Reason {
    /// Its deadline passed.
    Deadline,
    /// Somebody called `cancel`.
    Called(Arc<Called>),
}

/// A call of `cancel`.
#[derive(Debug)]
pub(crate) struct Called {
    text: Option<Box<str>>,
    by: Option<TaskName>,
}

impl Reason {
    /// The task that runs now called `cancel`, perhaps saying why.
    pub(crate) fn called(text: Option<Box<str>>) -> Self {
        let by = frame::top(|top| Some(top?.task()?.name()));
        Self::Called(Arc::new(Called { text, by }))
    }

    /// The task named `by`, or the one that runs now, made a group fail.
    pub(crate) fn by(by: Option<TaskName>, how: &'static str) -> Self {
        let by = by.or_else(|| frame::top(|top| Some(top?.task()?.name())));
        Self::Called(Arc::new(Called {
            text: Some(how.into()),
            by,
        }))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Deadline => None,
            Self::Called(called) => called.text.as_deref(),
        }
    }

    pub(crate) fn is_deadline(&self) -> bool {
        matches!(self, Self::Deadline)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("deadline exceeded"),
            Self::Called(called) => {
                match &called.by {
                    Some(by) => write!(f, "cancelled by task `{by}`")?,
                    None => f.write_str("cancelled")?,
                }
                match &called.text {
                    Some(text) => write!(f, ": {text}"),
                    None => Ok(()),
                }
            }
        }
    }
}
