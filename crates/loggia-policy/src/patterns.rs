//! [`PatternMap`]: attribute names to values, by exact name, index wildcard, prefix and suffix.
//!
//! Looking a name up costs one hash for an exact name; a name with numeric segments costs one more in its `*` form, and
//! prefixes or suffixes one per segment, only where the map has any.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Why a text is not a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PatternError {
    /// Nothing to match.
    Empty,
    /// `*` beside other characters in one segment.
    PartialSegment,
    /// Nothing but `*`.
    MatchesAll,
    /// Longer than any attribute name we keep.
    TooLong,
}

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256;

/// What a pattern looks like, parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pattern<'p> {
    /// The name itself, `*` standing for an index.
    Whole(&'p str),
    /// Any name below this one.
    Below(&'p str),
    /// Any name that ends in these segments.
    Ending(&'p str),
}

impl<'p> Pattern<'p> {
    /// Parses `a.b`, `a.*.b`, `a.*` and `*.b`.
    pub(crate) fn parse(text: &'p str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        if text.is_empty() || text.split('.').any(str::is_empty) {
            return Err(PatternError::Empty);
        }
        if text.split('.').any(|segment| segment != "*" && segment.contains('*')) {
            return Err(PatternError::PartialSegment);
        }
        if text.split('.').all(|segment| segment == "*") {
            return Err(PatternError::MatchesAll);
        }
        match (text.strip_prefix("*."), text.strip_suffix(".*")) {
            (Some(_), Some(_)) => Err(PatternError::PartialSegment),
            (Some(rest), None) => Ok(Self::Ending(rest)),
            (None, Some(rest)) => Ok(Self::Below(rest)),
            (None, None) => Ok(Self::Whole(text)),
        }
    }
}

/// How a name was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Matched {
    /// By its name, indexes aside: the policy spells all of it.
    Spelled,
    /// By prefix or suffix: part of the name is the sender's own.
    Open,
}

type KeyMap<V> = HashMap<Box<str>, V, BuildHasherDefault<KeyHasher>>;

/// Values by attribute name.
#[derive(Clone, Debug)]
pub(crate) struct PatternMap<V> {
    whole: KeyMap<V>,
    below: KeyMap<V>,
    ending: KeyMap<V>,
    has_indexes: bool,
}

impl<V> Default for PatternMap<V> {
    fn default() -> Self {
        Self {
            whole: KeyMap::default(),
            below: KeyMap::default(),
            ending: KeyMap::default(),
            has_indexes: false,
        }
    }
}

impl<V: Copy> PatternMap<V> {
    /// Adds a pattern; the first of two equal patterns stays, and the value it has comes back.
    pub(crate) fn insert(&mut self, pattern: Pattern<'_>, value: V) -> Option<V> {
        let (map, name) = match pattern {
            Pattern::Whole(name) => (&mut self.whole, name),
            Pattern::Below(name) => (&mut self.below, name),
            Pattern::Ending(name) => (&mut self.ending, name),
        };
        self.has_indexes |= name.split('.').any(|segment| segment == "*");
        if let Some(earlier) = map.get(name) {
            return Some(*earlier);
        }
        map.insert(name.into(), value);
        None
    }

    /// The value for `key`: by exact name, else index form, else longest prefix, else longest suffix.
    pub(crate) fn find(&self, key: &str, scratch: &mut String) -> Option<(V, Matched)> {
        if let Some(value) = self.whole.get(key) {
            return Some((*value, Matched::Spelled));
        }
        let indexed = self.has_indexes && index_form(key, scratch);
        if indexed && let Some(value) = self.whole.get(scratch.as_str()) {
            return Some((*value, Matched::Spelled));
        }
        let spelled = longest_prefix(&self.below, key);
        let by_index = if indexed { longest_prefix(&self.below, scratch) } else { None };
        let below = [spelled, by_index].into_iter().flatten().max_by_key(|(segments, _)| *segments);
        let found = below.map(|(_, value)| value).or_else(|| longest_suffix(&self.ending, key));
        found.map(|value| (value, Matched::Open))
    }
}

/// The longest proper prefix of `name` (in whole segments) that `map` has: how many segments, and its value.
fn longest_prefix<V: Copy>(map: &KeyMap<V>, name: &str) -> Option<(usize, V)> {
    if map.is_empty() {
        return None;
    }
    let mut rest = name;
    while let Some((head, _)) = rest.rsplit_once('.') {
        if let Some(value) = map.get(head) {
            return Some((head.split('.').count(), *value));
        }
        rest = head;
    }
    None
}

/// Value of the longest proper suffix of `name` (in whole segments) that `map` has.
fn longest_suffix<V: Copy>(map: &KeyMap<V>, name: &str) -> Option<V> {
    if map.is_empty() {
        return None;
    }
    let mut rest = name;
    while let Some((_, tail)) = rest.split_once('.') {
        if let Some(value) = map.get(tail) {
            return Some(*value);
        }
        rest = tail;
    }
    None
}

/// Writes `key` with every all-digit segment replaced by `*`; false when it has none.
fn index_form(key: &str, out: &mut String) -> bool {
    if !key.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    out.clear();
    let mut changed = false;
    for (position, segment) in key.split('.').enumerate() {
        if position > 0 {
            out.push('.');
        }
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push('*');
            changed = true;
        } else {
            out.push_str(segment);
        }
    }
    changed
}

/// A fast hasher for look-ups in maps that only a policy fills: senders cannot insert, so they cannot make collisions pile up.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut state = self.0;
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word = <[u8; 8]>::try_from(chunk).map_or(0, u64::from_le_bytes);
            state = mix(state, word);
        }
        let mut tail = [0_u8; 8];
        for (slot, byte) in tail.iter_mut().zip(chunks.remainder()) {
            *slot = *byte;
        }
        self.0 = mix(mix(state, u64::from_le_bytes(tail)), bytes.len() as u64);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = mix(self.0, u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// One round of a multiplicative hash.
fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hash of a short text, for caches that compare the whole text afterwards.
pub(crate) fn short_hash(text: &str) -> u64 {
    let mut hasher = KeyHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests;
