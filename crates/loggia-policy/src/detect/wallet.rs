//! Crypto wallets: base58check, bech32 and bech32m by their checksums; Ethereum by its exact shape.

use aws_lc_rs::digest;

/// Tells whether a word (ASCII) is the address of a wallet.
pub(super) fn is_wallet(word: &[u8]) -> bool {
    match word {
        [b'0', b'x' | b'X', rest @ ..] => {
            rest.len() == 40
                && rest.iter().all(u8::is_ascii_hexdigit)
                && rest.iter().any(|byte| *byte != b'0')
        }
        [b'b' | b'B', b'c' | b'C', b'1', ..] | [b't' | b'T', b'b' | b'B', b'1', ..] => {
            bech32(word, 2)
        }
        [b'l', b't', b'c', b'1', ..] => bech32(word, 3),
        [b'1' | b'3' | b'2' | b'm' | b'n' | b'L' | b'M' | b'D' | b'T', ..] => {
            matches!(word.len(), 26..=35) && base58check(word)
        }
        [b'4' | b'8', ..] => {
            word.len() == 95 && word.iter().all(|byte| base58_value(*byte).is_some())
        }
        _ => false,
    }
}

fn base58_value(byte: u8) -> Option<u32> {
    let position = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
        .iter()
        .position(|c| *c == byte)?;
    u32::try_from(position).ok()
}

/// Decodes 25 bytes and compares the last four with the double SHA-256 of the others.
fn base58check(word: &[u8]) -> bool {
    let mut decoded = [0u8; 25];
    for byte in word {
        let Some(mut carry) = base58_value(*byte) else { return false };
        for slot in decoded.iter_mut().rev() {
            carry += u32::from(*slot) * 58;
            *slot = u8::try_from(carry & 0xff).unwrap_or(0);
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let (body, check) = decoded.split_at(21);
    let once = digest::digest(&digest::SHA256, body);
    let twice = digest::digest(&digest::SHA256, once.as_ref());
    twice.as_ref().starts_with(check)
}

/// BIP 173 and BIP 350; `prefix` is the length of the part before the `1`.
fn bech32(word: &[u8], prefix: usize) -> bool {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    if !matches!(word.len(), 14..=90) {
        return false;
    }
    let step = |sum: u32, value: u32| {
        let top = sum >> 25;
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(i, _)| top >> i & 1 == 1)
            .fold((sum & 0x01ff_ffff) << 5 ^ value, |sum, (_, generator)| sum ^ generator)
    };
    let (human, data) = word.split_at(prefix);
    let lower = |byte: &u8| u32::from(byte.to_ascii_lowercase());
    let mut sum = human.iter().fold(1, |sum, byte| step(sum, lower(byte) >> 5));
    sum = step(sum, 0);
    sum = human.iter().fold(sum, |sum, byte| step(sum, lower(byte) & 31));
    for byte in data.iter().skip(1) {
        let Some(value) = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
            .iter()
            .position(|c| *c == byte.to_ascii_lowercase())
        else {
            return false;
        };
        sum = step(sum, u32::try_from(value).unwrap_or(0));
    }
    matches!(sum, 1 | 0x2bc8_30a3)
}
