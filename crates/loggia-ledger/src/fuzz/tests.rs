//! The fuzz bodies on random and on nearly right inputs.

use proptest::prelude::*;

use super::{ledger_note, ledger_tile};

proptest! {
    #[test]
    fn noise(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        ledger_note(&bytes);
        ledger_tile(&bytes);
    }

    #[test]
    fn nearly_notes(text in "([a-z/. ]{0,9}\n){0,4}(\n(\u{2014} [a-z.+]{0,6} [A-Za-z0-9+/]{0,12}={0,2}\n?){0,3})?") {
        ledger_note(text.as_bytes());
    }

    #[test]
    fn nearly_names(text in "tile/([0-9]{1,2}|entries)(/x?[0-9]{1,4}){0,4}(\\.p/[0-9]{0,4})?") {
        ledger_tile(text.as_bytes());
    }

    #[test]
    fn nearly_keys(text in "[a-z.]{0,4}\\+[0-9a-f]{8}\\+A[A-Za-z0-9+/]{43}") {
        ledger_note(text.as_bytes());
    }
}
