//! Varints at their edges, as prost writes them.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn varints(number in prop_oneof![any::<u64>(), (0_u32..64).prop_map(|bit| 1 << bit)], tag in 1..=0x1fff_ffff_u32) {
        let mut bytes = Vec::new();
        prost::encoding::uint64::encode(tag, &number, &mut bytes);
        let mut fields = Fields::new(&bytes);
        let Ok(Some((found, Wire::Varint(value)))) = fields.field() else { panic!("not a varint") };
        prop_assert_eq!((found, value), (tag, number));
        prop_assert!(matches!(fields.field(), Ok(None)));
    }

    #[test]
    fn every_cut_is_noticed(text in "[a-z]{0,200}") {
        let mut bytes = Vec::new();
        prost::encoding::string::encode(3, &text, &mut bytes);
        for end in 1..bytes.len() {
            prop_assert!(Fields::new(&bytes[..end]).field().is_err());
        }
    }
}
