//! Secrets by their own shape: prefixes of cloud and provider keys, JWT, PEM private keys, credentials in URLs.

use memchr::memmem;

use super::chars::{
    ALPHA, DIGIT, UPPER, at, before, class, is_alnum, is_digit, is_hex, run, starts, starts_ci, sub,
};
use super::kind::EntityKind;
use super::scan::Scan;

const TOKEN_MAX: usize = 4096;
const PEM_MAX: usize = 32 * 1024;
const AUTHORITY_MAX: usize = 512;

/// Characters a token may hold after its prefix.
#[derive(Clone, Copy)]
enum Body {
    /// Letters and digits.
    Alnum,
    /// Upper-case letters and digits.
    Upper,
    /// Hexadecimal digits.
    Hex,
    /// Letters, digits, `_`, `-`.
    Url,
    /// The same and `.`, `=`, `~`, `/`, `+`.
    Dotted,
}

impl Body {
    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alnum => is_alnum(byte),
            Self::Upper => class(byte) & (UPPER | DIGIT) != 0,
            Self::Hex => is_hex(byte),
            Self::Url => is_alnum(byte) || matches!(byte, b'_' | b'-'),
            Self::Dotted => {
                is_alnum(byte) || matches!(byte, b'_' | b'-' | b'.' | b'=' | b'~' | b'/' | b'+')
            }
        }
    }
}

/// Prefix, body, and least and most bytes after the prefix.
type Rule = (&'static [u8], Body, usize, usize);

/// Known prefixes; within one first letter the longer stands first.
const RULES: &[Rule] = &[
    (b"AGE-SECRET-KEY-1", Body::Upper, 50, 64),
    (b"AIza", Body::Url, 33, 40),
    (b"AKIA", Body::Upper, 16, 16),
    (b"ASIA", Body::Upper, 16, 16),
    (b"ABIA", Body::Upper, 16, 16),
    (b"ACCA", Body::Upper, 16, 16),
    (b"ATATT3", Body::Dotted, 40, 400),
    (b"ATCTT3", Body::Dotted, 40, 400),
    (b"CFPAT-", Body::Url, 40, 60),
    (b"EZAK", Body::Alnum, 50, 60),
    (b"EZTK", Body::Alnum, 50, 60),
    (b"GOCSPX-", Body::Url, 24, 40),
    (b"NRAK-", Body::Upper, 27, 27),
    (b"PMAK-", Body::Url, 50, 70),
    (b"SG.", Body::Dotted, 40, 80),
    (b"SK", Body::Hex, 32, 32),
    (b"atlasv1.", Body::Url, 50, 80),
    (b"dapi", Body::Hex, 32, 34),
    (b"dckr_pat_", Body::Url, 20, 60),
    (b"dop_v1_", Body::Hex, 64, 64),
    (b"doo_v1_", Body::Hex, 64, 64),
    (b"dor_v1_", Body::Hex, 64, 64),
    (b"dp.pt.", Body::Alnum, 40, 50),
    (b"figd_", Body::Url, 30, 60),
    (b"fo1_", Body::Url, 40, 60),
    (b"fw_", Body::Alnum, 22, 32),
    (b"github_pat_", Body::Url, 36, 120),
    (b"ghp_", Body::Alnum, 30, 255),
    (b"gho_", Body::Alnum, 30, 255),
    (b"ghu_", Body::Alnum, 30, 255),
    (b"ghs_", Body::Url, 30, 255),
    (b"ghr_", Body::Alnum, 30, 255),
    (b"glpat-", Body::Dotted, 20, 60),
    (b"gldt-", Body::Url, 20, 60),
    (b"glrt-", Body::Dotted, 20, 60),
    (b"glcbt-", Body::Url, 20, 60),
    (b"glptt-", Body::Url, 20, 60),
    (b"glft-", Body::Url, 20, 60),
    (b"glsoat-", Body::Url, 20, 60),
    (b"glsa_", Body::Url, 32, 60),
    (b"glc_", Body::Dotted, 32, 400),
    (b"gsk_", Body::Alnum, 40, 60),
    (b"hf_", Body::Alnum, 30, 40),
    (b"hvs.", Body::Url, 20, 200),
    (b"hvb.", Body::Url, 20, 300),
    (b"hvr.", Body::Url, 20, 200),
    (b"lgk_", Body::Url, 56, 64),
    (b"lin_api_", Body::Alnum, 32, 60),
    (b"lsv2_pt_", Body::Url, 32, 60),
    (b"lsv2_sk_", Body::Url, 32, 60),
    (b"npm_", Body::Alnum, 36, 36),
    (b"ntn_", Body::Alnum, 40, 60),
    (b"nvapi-", Body::Url, 50, 80),
    (b"oy2", Body::Alnum, 43, 43),
    (b"pat-na1-", Body::Url, 36, 36),
    (b"phx_", Body::Alnum, 40, 50),
    (b"pplx-", Body::Alnum, 40, 60),
    (b"pul-", Body::Hex, 40, 40),
    (b"pypi-", Body::Url, 40, 255),
    (b"r8_", Body::Alnum, 30, 45),
    (b"rdme_", Body::Alnum, 60, 80),
    (b"rk_live_", Body::Alnum, 16, 120),
    (b"rk_test_", Body::Alnum, 16, 120),
    (b"rubygems_", Body::Hex, 40, 60),
    (b"sk-ant-", Body::Url, 24, 160),
    (b"sk-proj-", Body::Url, 24, 220),
    (b"sk-svcacct-", Body::Url, 24, 220),
    (b"sk-admin-", Body::Url, 24, 220),
    (b"sk-or-v1-", Body::Hex, 32, 80),
    (b"sk-", Body::Url, 20, 120),
    (b"sk_live_", Body::Alnum, 16, 120),
    (b"sk_test_", Body::Alnum, 16, 120),
    (b"shpat_", Body::Hex, 32, 32),
    (b"shpss_", Body::Hex, 32, 32),
    (b"shpca_", Body::Hex, 32, 32),
    (b"shppa_", Body::Hex, 32, 32),
    (b"sntrys_", Body::Dotted, 40, 300),
    (b"sntryu_", Body::Hex, 60, 70),
    (b"sq0atp-", Body::Url, 22, 22),
    (b"sq0csp-", Body::Url, 43, 43),
    (b"tskey-", Body::Url, 20, 80),
    (b"tvly-", Body::Url, 20, 60),
    (b"whsec_", Body::Dotted, 24, 80),
    (b"xai-", Body::Alnum, 60, 100),
    (b"xapp-", Body::Url, 24, 160),
    (b"xoxa-", Body::Url, 20, 160),
    (b"xoxb-", Body::Url, 20, 160),
    (b"xoxe-", Body::Url, 20, 260),
    (b"xoxe.", Body::Dotted, 20, 260),
    (b"xoxo-", Body::Url, 20, 160),
    (b"xoxp-", Body::Url, 20, 160),
    (b"xoxr-", Body::Url, 20, 160),
    (b"xoxs-", Body::Url, 20, 160),
    (b"ya29.", Body::Dotted, 24, 400),
];

/// For each first byte the range of rules that begin with it; INVARIANT: `RULES` is grouped by first byte.
static FIRST_LETTERS: [(u8, u8); 256] = first_letters();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time: an index out of range is a build error, and there are fewer than 256 rules"
)]
const fn first_letters() -> [(u8, u8); 256] {
    let mut table = [(0u8, 0u8); 256];
    let mut i = 0;
    while i < RULES.len() {
        let first = RULES[i].0[0] as usize;
        if table[first].1 == 0 {
            table[first].0 = i as u8;
        }
        table[first].1 = i as u8 + 1;
        i += 1;
    }
    table
}

impl Scan<'_> {
    /// Handles a word that may begin a known token.
    pub(super) fn secret_prefix(&mut self, start: usize, word_end: usize) -> bool {
        // A token is a long word or goes on after a dash or dot: most words end here.
        if word_end - start < 16 && !matches!(at(self.bytes, word_end), b'-' | b'.') {
            return false;
        }
        let (first, second) = (at(self.bytes, start), at(self.bytes, start + 1));
        if starts(self.bytes, start, b"eyJ") {
            return self.jwt(start);
        }
        let (low, high) = FIRST_LETTERS.get(usize::from(first)).copied().unwrap_or((0, 0));
        let rules = RULES.get(usize::from(low)..usize::from(high)).unwrap_or(&[]);
        for (prefix, body, least, most) in rules {
            if at(prefix, 1) != second || !starts(self.bytes, start, prefix) {
                continue;
            }
            let from = start + prefix.len();
            let end = run(self.bytes, from, TOKEN_MAX, |byte| body.holds(byte));
            let end = self.trim_token(from, end);
            if (*least..=*most).contains(&(end - from)) && self.looks_random(from, end, prefix) {
                self.emit(start, end, EntityKind::Secret, 98);
                return true;
            }
        }
        false
    }

    /// Leaves sentence signs at the end out of a token.
    fn trim_token(&self, start: usize, end: usize) -> usize {
        let mut end = end;
        while end > start && matches!(before(self.bytes, end), b'.' | b'-' | b'/') {
            end -= 1;
        }
        end
    }

    /// Tells whether a token's body is not a word chain (`sk-learn-contrib-model-selection`).
    fn looks_random(&self, start: usize, end: usize, prefix: &[u8]) -> bool {
        let body = sub(self.bytes, start, end);
        let digits = body.iter().filter(|byte| is_digit(**byte)).count();
        let upper = body.iter().filter(|byte| byte.is_ascii_uppercase()).count();
        let masked = body.iter().all(|byte| at(body, 0) == *byte);
        !masked
            && (digits > 0 && (prefix.len() > 3 || digits + upper > 3)
                || upper > 2 && prefix.len() > 2)
    }

    /// Reads three base64url parts of which the first two are JSON objects.
    fn jwt(&mut self, start: usize) -> bool {
        let part = |from: usize| run(self.bytes, from, TOKEN_MAX, |byte| Body::Url.holds(byte));
        let head = part(start);
        if head - start < 10 || at(self.bytes, head) != b'.' {
            return false;
        }
        let claims = part(head + 1);
        if claims - head < 5 || at(self.bytes, claims) != b'.' {
            return false;
        }
        let mut end = part(claims + 1);
        // Encrypted tokens have five parts.
        while at(self.bytes, end) == b'.' && Body::Url.holds(at(self.bytes, end + 1)) {
            end = part(end + 1);
        }
        self.emit(start, end, EntityKind::Secret, 98);
        true
    }

    /// Handles `BEGIN` of `-----BEGIN … PRIVATE KEY-----`: to the end line, or as far as the key goes.
    pub(super) fn pem(&mut self, start: usize, end: usize) -> bool {
        if !starts(self.bytes, start, b"BEGIN")
            || !start.checked_sub(5).is_some_and(|dash| starts(self.bytes, dash, b"-----"))
        {
            return false;
        }
        let label = sub(self.bytes, end, end.saturating_add(48).min(self.bytes.len()));
        let Some(key) = memmem::find(label, b"PRIVATE KEY") else { return false };
        let body = end + key;
        let window = sub(self.bytes, body, body.saturating_add(PEM_MAX).min(self.bytes.len()));
        let stop = match memmem::find(window, b"-----END") {
            Some(found) => {
                let line = body + found + 8;
                let rest = run(self.bytes, line, 48, |byte| byte != b'-' && byte != b'\n');
                run(self.bytes, rest, 5, |byte| byte == b'-')
            }
            None => run(self.bytes, body, PEM_MAX, |byte| {
                is_alnum(byte)
                    || matches!(
                        byte,
                        b'+' | b'/' | b'=' | b'\n' | b'\r' | b' ' | b'-' | b'\\' | b':' | b','
                    )
            }),
        };
        self.emit(start - 5, stop, EntityKind::Secret, 99);
        true
    }

    /// Handles `://`: a password before the host, a web hook, a signed query.
    pub(super) fn url(&mut self, colon: usize) {
        let host = colon + 3;
        self.pos = host;
        let authority =
            sub(self.bytes, host, host.saturating_add(AUTHORITY_MAX).min(self.bytes.len()));
        let stop = |byte: &u8| {
            matches!(byte, b' ' | b'\n' | b'\t' | b'"' | b'<' | b'>' | b'\\' | b'\'' | b'`')
        };
        let limit = authority.iter().position(stop).unwrap_or(authority.len());
        let url = sub(authority, 0, limit);
        let slash = url.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(url.len());
        // A raw `/` in a password is rare but real; an `@` behind it counts only when a `:` stands before the slash.
        let sign = memchr::memrchr(b'@', sub(url, 0, slash)).or_else(|| {
            let colon = memchr::memchr(b':', sub(url, 0, slash))?;
            let sign = memchr::memchr(b'@', url)?;
            let port = url
                .get(colon + 1..slash)
                .is_some_and(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit));
            (sign > colon && !port).then_some(sign)
        });
        if let Some(sign) = sign {
            let user = memchr::memchr(b':', sub(url, 0, sign));
            if let Some(colon) = user
                && !placeholder_like(sub(url, colon + 1, sign))
            {
                self.emit(host + colon + 1, host + sign, EntityKind::Secret, 95);
            }
            // The host behind credentials is a server's, not a person's.
            let end = host
                + run(url, sign + 1, url.len(), |byte| {
                    is_alnum(byte) || matches!(byte, b'.' | b'-' | b':')
                });
            self.pos = self.pos.max(end);
            return;
        }
        let hook = [
            &b"hooks.slack.com/services/"[..],
            b"hooks.slack.com/workflows/",
            b"discord.com/api/webhooks/",
            b"discordapp.com/api/webhooks/",
            b"outlook.office.com/webhook/",
        ];
        if let Some(hook) = hook.iter().find(|hook| starts_ci(url, 0, hook))
            && url.len() > hook.len() + 12
        {
            let mut scheme = colon;
            while class(before(self.bytes, scheme)) & ALPHA != 0 && colon - scheme < 8 {
                scheme -= 1;
            }
            let end = run(url, 0, url.len(), |byte| {
                is_alnum(byte) || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'@' | b':')
            });
            let end = self.trim_token(host, host + end);
            self.emit(scheme, end, EntityKind::Secret, 98);
        }
    }

    /// Handles a Telegram bot token: `123456789:AA…`.
    pub(super) fn telegram(&mut self, start: usize, end: usize) -> bool {
        if !matches!(end - start, 8..=10) || !starts(self.bytes, end, b":AA") {
            return false;
        }
        let stop = run(self.bytes, end + 1, 64, |byte| Body::Url.holds(byte));
        if !matches!(stop - end - 1, 33..=40) {
            return false;
        }
        self.emit(start, stop, EntityKind::Secret, 98);
        true
    }
}

/// Tells whether a value only stands for one: `***`, `<token>`, `${X}`, `{{ x }}`, `xxxx`, `REDACTED`.
pub(super) fn placeholder_like(value: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"redacted",
        b"changeme",
        b"change-me",
        b"change_me",
        b"your",
        b"example",
        b"placeholder",
        b"password",
        b"passwd",
        b"secret",
        b"null",
        b"none",
        b"nil",
        b"undefined",
        b"true",
        b"false",
        b"masked",
        b"hidden",
        b"removed",
        b"filtered",
        b"dummy",
        b"todo",
        b"empty",
        b"required",
        b"invalid",
        b"missing",
        b"expired",
        b"string",
        b"token",
        b"n/a",
        b"unknown",
        b"not_set",
        b"notset",
        b"unset",
        b"default",
        b"os.environ",
        b"process.env",
        b"env.",
        b"env(",
        b"getenv",
        b"vault:",
        b"ref:",
        b"arn:",
        b"file:",
        b"insert",
        b"enter",
        b"my_",
        b"the_",
        b"some_",
        b"sample",
        b"test_token",
        b"basic",
        b"bearer",
        b"cut",
    ];
    let alnum = value.iter().filter(|byte| is_alnum(**byte)).count();
    let stars =
        value.iter().filter(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'#')).count();
    let opens = matches!(
        value,
        [b'<', ..]
            | [b'$', b'{' | b'(', ..]
            | [b'{', b'{', ..]
            | [b'%', b'(' | b'{' | b's', ..]
            | [b'[', ..]
            | [b'(', ..]
            | [b'@', ..]
            | [b'&', ..]
    );
    let word = WORDS.iter().any(|word| {
        starts_ci(value, 0, word)
            && (value.len() <= word.len() + 2
                || !value.iter().any(u8::is_ascii_digit)
                    && !value.iter().any(|byte| b"!@#^&".contains(byte)))
    });
    alnum == 0 || stars * 2 > value.len() || opens || word
}

/// Tells whether the rules of one first byte stand together, as `FIRST_LETTERS` needs.
#[cfg(test)]
pub(super) fn rules_are_grouped() -> bool {
    let mut firsts: Vec<u8> = RULES.iter().map(|rule| at(rule.0, 0)).collect();
    firsts.dedup();
    let groups = firsts.len();
    firsts.sort_unstable();
    firsts.dedup();
    groups == firsts.len()
}
