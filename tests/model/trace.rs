//! What is compared.

use std::collections::BTreeMap;

/// What each task did, with the tick: tasks that are ready at the same tick run in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) tasks: BTreeMap<usize, Vec<(u64, String)>>,
    /// For each scope that was entered: `cancel_called` and `cancelled_caught`.
    pub(crate) scopes: BTreeMap<usize, (bool, bool)>,
    pub(crate) failed: bool,
}

impl Trace {
    pub(crate) fn note(&mut self, task: usize, now: u64, what: String) {
        self.tasks.entry(task).or_default().push((now, what));
    }
}
