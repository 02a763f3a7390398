//! A bounded list: in JSON three bytes make an empty object, so that an unbounded one would let a
//! small request take many times its size in memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::error::DecodeError;

/// At most `MAX` items; beyond them it only notes that there were more.
pub(super) struct Few<T, const MAX: usize> {
    items: Vec<T>,
    over: bool,
}

impl<T, const MAX: usize> Few<T, MAX> {
    /// All items, or an error if there were too many.
    pub(super) fn all(self, what: &'static str) -> Result<Vec<T>, DecodeError> {
        if self.over { Err(DecodeError::TooLarge { what, limit: MAX }) } else { Ok(self.items) }
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FewVisitor<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for FewVisitor<T, MAX> {
            type Value = Few<T, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX {
                    match seq.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(Few { items, over: false }),
                    }
                }
                let mut over = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    over = true;
                }
                Ok(Few { items, over })
            }
        }
        deserializer.deserialize_seq(FewVisitor(PhantomData))
    }
}
