//! What the store must hold, kept the simple way.

use std::collections::{BTreeMap, BTreeSet};

/// One acknowledged record.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) user: u64,
    pub(crate) prompt: String,
}

/// The records and what became of their subjects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) records: Vec<Held>,
    pub(crate) erased: BTreeSet<u64>,
}

impl Model {
    /// Whether a record of `user` would be refused.
    pub(crate) fn refuses(&self, user: u64) -> bool {
        self.erased.contains(&user)
    }

    /// How often each text must be shown to who may see content.
    pub(crate) fn shown(&self, erased_mark: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for held in &self.records {
            let gone = self.erased.contains(&held.user);
            let text = if gone { erased_mark } else { held.prompt.as_str() };
            *counts.entry(text.to_owned()).or_default() += 1;
        }
        counts
    }
}
