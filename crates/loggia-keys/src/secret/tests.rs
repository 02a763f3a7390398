//! Published vectors of the primitives, and the properties of labels.

use super::*;
use aws_lc_rs::aead::{Aad, Nonce};

/// Bytes of a hexadecimal text.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

#[test]
fn aes_256_gcm_gives_the_published_vectors() {
    // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16; used by NIST's validation too.
    let cases = [
        ("00".repeat(32), "00".repeat(12), String::new(), String::new(), "530f8afbc74536b9a963b4f1c4cb738b".to_owned()),
        (
            "00".repeat(32),
            "00".repeat(12),
            String::new(),
            "00".repeat(16),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919".to_owned(),
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308".to_owned(),
            "cafebabefacedbaddecaf888".to_owned(),
            "feedfacedeadbeeffeedfacedeadbeefabaddad2".to_owned(),
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
                .to_owned(),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
                .to_owned(),
        ),
    ];
    for (key, nonce, aad, plain, expected) in cases {
        let mut bytes = hex(&plain);
        cipher(&hex(&key))
            .unwrap()
            .seal_in_place_append_tag(
                Nonce::try_assume_unique_for_key(&hex(&nonce)).unwrap(),
                Aad::from(hex(&aad)),
                &mut bytes,
            )
            .unwrap();
        assert_eq!(bytes, hex(&expected));
    }
}

#[test]
fn hkdf_gives_rfc_5869_a_1() {
    let mut out = [0_u8; 42];
    let (salt, info) = (hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"));
    hkdf_sha256(&[0x0b; 22], &salt, &info, &mut out).unwrap();
    let expected =
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(out.to_vec(), hex(expected));
}

#[test]
fn hmac_gives_rfc_4231_cases_1_and_2() {
    let check = |key: &[u8], message: &[u8], expected: &str| {
        let hash = KeyedHash(hmac::Key::new(hmac::HMAC_SHA256, key));
        assert_eq!(hash.tag(message).to_vec(), hex(expected));
        assert_eq!(hash.short(message).to_vec(), hex(expected)[..16]);
    };
    check(
        &[0x0b; 20],
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
    check(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
}

#[test]
fn labels_are_unambiguous() {
    assert_ne!(label(&[b"ab", b"c"]), label(&[b"a", b"bc"]));
    assert_ne!(label(&[b"a", b""]), label(&[b"a"]));
    assert_eq!(label(&[b"a"]), [1, 0, 0, 0, b'a']);
}

#[test]
fn secrets_are_32_bytes_and_random() {
    assert!(Secret::from_slice(&[0; 31]).is_none());
    assert!(Secret::from_slice(&[0; 33]).is_none());
    assert_ne!(Secret::generate().unwrap().expose(), Secret::generate().unwrap().expose());
}

#[test]
fn prefixed_text_is_24_url_safe_characters() {
    assert_eq!(prefixed("s_", &[0; 16]), "s_AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(prefixed("p_", &[0xff; 16]), "p______________________w");
}

/// Fails to compile when a type has the trait: the call would be ambiguous.
macro_rules! assert_lacks {
    ($type:ty: $($bound:path),+) => {$({
        trait Ambiguous<A> {
            fn holds() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Has;
        impl<T: ?Sized + $bound> Ambiguous<Has> for T {}
        <$type as Ambiguous<_>>::holds();
    })+};
}

#[test]
fn key_types_cannot_be_copied_printed_or_serialised() {
    use crate::{FileKey, FrameKey, KeyStore, OpenedBlock};
    use std::fmt::{Debug, Display};
    assert_lacks!(Secret: Clone, Debug, Display, Default, serde::Serialize);
    assert_lacks!(KeyedHash: Clone, Debug, Display, serde::Serialize);
    assert_lacks!(crate::epoch::Epoch: Clone, Debug, Display, serde::Serialize);
    assert_lacks!(crate::root::Root: Clone, Debug, Display, serde::Serialize);
    assert_lacks!(crate::cache::HeldKey: Debug, Display, serde::Serialize);
    assert_lacks!(FrameKey: Clone, Display, serde::Serialize);
    assert_lacks!(FileKey: Clone, Display, serde::Serialize);
    assert_lacks!(KeyStore: Clone, Display, serde::Serialize);
    assert_lacks!(OpenedBlock: Clone, Display, serde::Serialize);
}
