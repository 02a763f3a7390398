//! Check digits: the arithmetic that tells a real number from a random one.
//!
//! All functions take digit values (0–9), not ASCII, unless they say otherwise; none panics on any length.

/// Returns the sum of digit × weight.
fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// Luhn: cards, SIN, IMEI, Swedish and Israeli ids.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let value = u32::from(*digit) << (i & 1);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    digits.len() > 1 && sum.is_multiple_of(10)
}

/// Remainder of a decimal number.
pub(super) fn modulo(digits: &[u8], by: u64) -> u64 {
    digits.iter().fold(0, |rest, digit| (rest * 10 + u64::from(*digit)) % by)
}

/// ISO 7064 mod 97-10 over ASCII letters and digits, first four characters moved to the end (IBAN).
pub(super) fn iban_mod97(ascii: &[u8]) -> bool {
    let (head, tail) = ascii.split_at(ascii.len().min(4));
    let rest = tail.iter().chain(head).fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        b'a'..=b'z' => (rest * 100 + u32::from(byte - b'a') + 10) % 97,
        _ => 0,
    });
    rest == 1
}

/// Verhoeff: Aadhaar.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const D: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const P: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let look = |table: &[[u8; 10]], row: u8, column: u8| {
        table
            .get(usize::from(row))
            .and_then(|row| row.get(usize::from(column)))
            .copied()
            .unwrap_or(0)
    };
    let sum = digits
        .iter()
        .rev()
        .zip((0..8u8).cycle())
        .fold(0, |sum, (digit, row)| look(&D, sum, look(&P, row, *digit)));
    sum == 0
}

/// ISO 7064 mod 11-10: German tax id.
pub(super) fn iso7064_mod11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum } * 2) % 11
    });
    u32::from(*check) == (11 - product) % 10
}

/// EAN-13: Swiss AHV and book numbers.
pub(super) fn ean13(digits: &[u8]) -> bool {
    digits.len() == 13
        && weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// NHS number of England.
pub(super) fn nhs(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    digits.len() == 10
        && digits.iter().any(|digit| *digit != 0)
        && (11 - weighted(body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == u32::from(*check)
}

/// Dutch BSN.
pub(super) fn bsn(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    digits.len() == 9
        && varied(digits)
        && weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == u32::from(*check)
}

/// Brazilian CPF.
pub(super) fn cpf(digits: &[u8]) -> bool {
    let check = |body: &[u8], weights: &[u32]| {
        let rest = weighted(body, weights) * 10 % 11;
        if rest == 10 { 0 } else { rest }
    };
    let (Some(nine), Some(ten)) = (digits.get(..9), digits.get(..10)) else { return false };
    digits.len() == 11
        && varied(digits)
        && check(nine, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) == nth(digits, 9)
        && check(ten, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == nth(digits, 10)
}

/// Brazilian CNPJ.
pub(super) fn cnpj(digits: &[u8]) -> bool {
    let check = |body: &[u8], weights: &[u32]| {
        let rest = weighted(body, weights) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    let (Some(first), Some(second)) = (digits.get(..12), digits.get(..13)) else { return false };
    digits.len() == 14
        && varied(digits)
        && check(first, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == nth(digits, 12)
        && check(second, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == nth(digits, 13)
}

/// French NIR without Corsican letters: 13 digits and a key of two.
pub(super) fn nir(digits: &[u8]) -> bool {
    let (Some(body), Some(key)) = (digits.get(..13), digits.get(13..)) else { return false };
    let month = nth(digits, 3) * 10 + nth(digits, 4);
    digits.len() == 15
        && matches!(nth(digits, 0), 1..=4 | 7 | 8)
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && 97 - modulo(body, 97) == modulo(key, 1000)
}

/// Portuguese NIF.
pub(super) fn nif_pt(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let rest = weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 9
        && nth(digits, 0) != 0
        && u32::from(*check) == if rest < 2 { 0 } else { 11 - rest }
}

/// Polish PESEL.
pub(super) fn pesel(digits: &[u8]) -> bool {
    let month = nth(digits, 2) * 10 + nth(digits, 3);
    digits.len() == 11
        && matches!(month % 20, 1..=12)
        && day_ok(nth(digits, 4) * 10 + nth(digits, 5))
        && weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Polish NIP.
pub(super) fn nip(digits: &[u8]) -> bool {
    digits.len() == 10 && weighted(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == nth(digits, 9)
}

/// Swedish personnummer, ten digits.
pub(super) fn personnummer(digits: &[u8]) -> bool {
    let day = nth(digits, 4) * 10 + nth(digits, 5);
    digits.len() == 10
        && matches!(nth(digits, 2) * 10 + nth(digits, 3), 1..=12)
        && (day_ok(day) || day_ok(day.wrapping_sub(60)))
        && luhn(digits)
}

/// Danish CPR: a date and four digits (newer numbers have no check digit).
pub(super) fn cpr(digits: &[u8]) -> bool {
    digits.len() == 10 && ddmm(digits)
}

/// Norwegian fødselsnummer.
pub(super) fn fodselsnummer(digits: &[u8]) -> bool {
    digits.len() == 11
        && ddmm(digits)
        && weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Belgian national number.
pub(super) fn rijksregister(digits: &[u8]) -> bool {
    let (Some(body), Some(key)) = (digits.get(..9), digits.get(9..)) else { return false };
    let (rest, key) = (modulo(body, 97), modulo(key, 1000));
    digits.len() == 11
        && nth(digits, 2) * 10 + nth(digits, 3) <= 12
        && (97 - rest == key || 97 - (2_000_000_000 + modulo(body, 1_000_000_000)) % 97 == key)
}

/// Australian tax file number.
pub(super) fn tfn(digits: &[u8]) -> bool {
    digits.len() == 9
        && varied(digits)
        && weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// Australian Medicare number.
pub(super) fn medicare_au(digits: &[u8]) -> bool {
    matches!(digits.len(), 10 | 11)
        && matches!(nth(digits, 0), 2..=6)
        && weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == nth(digits, 8)
}

/// German tax identification number.
pub(super) fn steuer_id(digits: &[u8]) -> bool {
    digits.len() == 11 && nth(digits, 0) != 0 && iso7064_mod11_10(digits)
}

/// Austrian social insurance number.
pub(super) fn svnr(digits: &[u8]) -> bool {
    digits.len() == 10
        && nth(digits, 0) != 0
        && weighted(digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == nth(digits, 3)
}

/// Swiss AHV/AVS number.
pub(super) fn ahv(digits: &[u8]) -> bool {
    digits.starts_with(&[7, 5, 6]) && ean13(digits)
}

/// Indian Aadhaar.
pub(super) fn aadhaar(digits: &[u8]) -> bool {
    digits.len() == 12 && nth(digits, 0) >= 2 && varied(digits) && verhoeff(digits)
}

/// Canadian social insurance number.
pub(super) fn sin_ca(digits: &[u8]) -> bool {
    digits.len() == 9 && !matches!(nth(digits, 0), 0 | 8) && varied(digits) && luhn(digits)
}

/// Turkish TCKN.
pub(super) fn tckn(digits: &[u8]) -> bool {
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    digits.len() == 11
        && nth(digits, 0) != 0
        && (odd * 7 + 100 - even) % 10 == nth(digits, 9)
        && weighted(digits, &[1; 10]) % 10 == nth(digits, 10)
}

/// South African id.
pub(super) fn rsa_id(digits: &[u8]) -> bool {
    digits.len() == 13
        && matches!(nth(digits, 2) * 10 + nth(digits, 3), 1..=12)
        && day_ok(nth(digits, 4) * 10 + nth(digits, 5))
        && nth(digits, 10) <= 2
        && luhn(digits)
}

/// Romanian CNP.
pub(super) fn cnp(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    digits.len() == 13
        && matches!(nth(digits, 3) * 10 + nth(digits, 4), 1..=12)
        && day_ok(nth(digits, 5) * 10 + nth(digits, 6))
        && nth(digits, 12) == if rest == 10 { 1 } else { rest }
}

/// Bulgarian EGN.
pub(super) fn egn(digits: &[u8]) -> bool {
    digits.len() == 10
        && day_ok(nth(digits, 4) * 10 + nth(digits, 5))
        && weighted(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == nth(digits, 9)
}

/// Estonian and Lithuanian personal code.
pub(super) fn isikukood(digits: &[u8]) -> bool {
    let first = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    digits.len() == 11
        && matches!(nth(digits, 0), 1..=8)
        && matches!(nth(digits, 3) * 10 + nth(digits, 4), 1..=12)
        && nth(digits, 10) == if first < 10 { first } else { second % 10 }
}

/// Czech and Slovak rodné číslo of ten digits.
pub(super) fn rodne_cislo(digits: &[u8]) -> bool {
    let month = nth(digits, 2) * 10 + nth(digits, 3);
    digits.len() == 10
        && matches!(month % 50, 1..=12 | 21..=32)
        && day_ok(nth(digits, 4) * 10 + nth(digits, 5))
        && modulo(digits, 11) == 0
}

/// Argentine CUIT/CUIL.
pub(super) fn cuit(digits: &[u8]) -> bool {
    let rest = 11 - weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 11
        && matches!(nth(digits, 0), 2 | 3)
        && nth(digits, 10) == if rest == 11 { 0 } else { rest }
}

/// Israeli id.
pub(super) fn israeli_id(digits: &[u8]) -> bool {
    digits.len() == 9 && varied(digits) && luhn(digits)
}

/// Thai national id.
pub(super) fn thai_id(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    digits.len() == 13 && nth(digits, 0) != 0 && (11 - sum % 11) % 10 == nth(digits, 12)
}

/// Korean resident registration number: date and century digit (the check digit is gone since 2020).
pub(super) fn rrn(digits: &[u8]) -> bool {
    digits.len() == 13
        && matches!(nth(digits, 2) * 10 + nth(digits, 3), 1..=12)
        && day_ok(nth(digits, 4) * 10 + nth(digits, 5))
        && matches!(nth(digits, 6), 1..=8)
}

/// Japanese My Number.
pub(super) fn my_number(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 12 && varied(digits) && nth(digits, 11) == if rest <= 1 { 0 } else { 11 - rest }
}

/// Chinese resident id: seventeen digits and a check character (ASCII).
pub(super) fn china_id(ascii: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let mut digits = [0u8; 17];
    for (slot, byte) in digits.iter_mut().zip(ascii) {
        if !byte.is_ascii_digit() {
            return false;
        }
        *slot = byte - b'0';
    }
    let year = nth(&digits, 6) * 10 + nth(&digits, 7);
    let sum = weighted(&digits, &WEIGHTS) % 11;
    let check = b"10X98765432".get(usize::try_from(sum).unwrap_or(99)).copied();
    ascii.len() == 18
        && matches!(year, 19 | 20)
        && matches!(nth(&digits, 10) * 10 + nth(&digits, 11), 1..=12)
        && day_ok(nth(&digits, 12) * 10 + nth(&digits, 13))
        && ascii.last().map(u8::to_ascii_uppercase) == check
}

/// Spanish DNI or NIE letter: the number (with the NIE's letter as digit) modulo 23.
pub(super) fn dni_letter(number: u64) -> u8 {
    let rest = usize::try_from(number % 23).unwrap_or(0);
    b"TRWAGMYFPDXBNJZSQVHLCKE".get(rest).copied().unwrap_or(0)
}

/// Italian codice fiscale (ASCII, upper case, 16 characters).
pub(super) fn codice_fiscale(ascii: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(usize::from(byte - b'0')),
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        _ => None,
    };
    let shape = ascii.iter().zip(b"AAAAAA00A00A000A").all(|(byte, model)| match model {
        b'A' => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
    });
    let Some((check, body)) = ascii.split_last() else { return false };
    if ascii.len() != 16
        || !shape
        || !ascii.get(6..8).is_some_and(|year| year.iter().any(u8::is_ascii_digit))
    {
        return false;
    }
    let sum = body.iter().enumerate().fold(0u32, |sum, (i, byte)| {
        let Some(v) = value(*byte) else { return sum };
        let even = u32::try_from(v).unwrap_or(0);
        sum + if i % 2 == 0 { ODD.get(v).copied().unwrap_or(0) } else { even }
    });
    u32::from(check.wrapping_sub(b'A')) == sum % 26
}

/// Letters-and-digits check of Singapore's NRIC/FIN (ASCII, nine characters).
pub(super) fn nric(ascii: &[u8]) -> bool {
    let (Some((first, rest)), true) = (ascii.split_first(), ascii.len() == 9) else { return false };
    let Some((check, body)) = rest.split_last() else { return false };
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let values: [u8; 7] = std::array::from_fn(|i| body.get(i).map_or(0, |byte| byte - b'0'));
    let sum = weighted(&values, &[2, 7, 6, 5, 4, 3, 2]);
    let (table, offset): (&[u8; 11], u32) = match first {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        b'M' => (b"KLJNPQRTUWX", 3),
        _ => return false,
    };
    let rest = usize::try_from((sum + offset) % 11).unwrap_or(0);
    let index = if *first == b'M' { 10 - rest } else { rest };
    table.get(index) == Some(check)
}

/// Hong Kong identity card: prefix letters, six digits, check character (ASCII, without brackets).
pub(super) fn hkid(ascii: &[u8]) -> bool {
    let letters = ascii.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if !matches!((letters, ascii.len()), (1, 8) | (2, 9)) {
        return false;
    }
    let value = |byte: &u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    };
    let digits_ok =
        ascii.get(letters..letters + 6).is_some_and(|body| body.iter().all(u8::is_ascii_digit));
    let start = if letters == 1 { 36 * 9 } else { 0 };
    let weights: &[u32] =
        if letters == 1 { &[8, 7, 6, 5, 4, 3, 2, 1] } else { &[9, 8, 7, 6, 5, 4, 3, 2, 1] };
    let sum: u32 = ascii.iter().zip(weights).map(|(byte, weight)| value(byte) * weight).sum();
    digits_ok
        && ascii.last().is_some_and(|check| check.is_ascii_digit() || *check == b'A')
        && (sum + start).is_multiple_of(11)
}

/// Finnish personal identity code: six digits, century sign, three digits, check character (ASCII).
pub(super) fn hetu(ascii: &[u8]) -> bool {
    let (Some(date), Some(serial), Some(check)) = (ascii.get(..6), ascii.get(7..10), ascii.get(10))
    else {
        return false;
    };
    if ascii.len() != 11 || !date.iter().chain(serial).all(u8::is_ascii_digit) {
        return false;
    }
    let number = date.iter().chain(serial).fold(0u64, |n, byte| n * 10 + u64::from(byte - b'0'));
    let rest = usize::try_from(number % 31).unwrap_or(0);
    let values: [u8; 4] = std::array::from_fn(|i| date.get(i).map_or(0, |byte| byte - b'0'));
    ddmm(&values) && b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(rest) == Some(check)
}

/// Chilean RUT (ASCII digits, then `0`–`9` or `K`).
pub(super) fn rut(ascii: &[u8]) -> bool {
    let Some((check, body)) = ascii.split_last() else { return false };
    if !matches!(body.len(), 7 | 8) || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 =
        body.iter().rev().zip((2..8u32).cycle()).map(|(byte, w)| u32::from(byte - b'0') * w).sum();
    let want = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        rest => b'0' + u8::try_from(rest).unwrap_or(0),
    };
    check.to_ascii_uppercase() == want
}

fn nth(digits: &[u8], i: usize) -> u32 {
    digits.get(i).map_or(0, |digit| u32::from(*digit))
}

fn day_ok(day: u32) -> bool {
    matches!(day, 1..=31)
}

fn ddmm(digits: &[u8]) -> bool {
    let day = nth(digits, 0) * 10 + nth(digits, 1);
    (day_ok(day) || day_ok(day.wrapping_sub(40)))
        && matches!(nth(digits, 2) * 10 + nth(digits, 3), 1..=12)
}

/// Tells whether not all digits are the same (`000000000`, `111111111` are fillers).
pub(super) fn varied(digits: &[u8]) -> bool {
    digits.windows(2).any(|pair| pair.first() != pair.last())
}

/// Shannon entropy in bits per byte.
pub(super) fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0u16; 256];
    for byte in bytes.iter().take(1024) {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total: f32 = counts.iter().map(|count| f32::from(*count)).sum();
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f32::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}
