//! What must survive untouched: the numbers, hashes and words that logs are made of.

use super::{check, found};
use crate::detect::EntityKind;

#[test]
fn hard_negatives() {
    check(
        EntityKind::Secret,
        &[
            "request c01d25bf-5fda-4b3e-a28e-1ab1894cc60e took 46 ms",
            "12345678-1234-1234-1234-123456789012",
            "trace 42a2acb59642c209ef3acf7242956812 span 3615d99217938ba9",
            "sha256:2931c6e8212bdf8497ec3d4f9285fd34749ceaecf362c8221c83cd46ebf80577",
            "commit eb426d23ea38ab7f2c824e1cc9a0847ff757e182",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "2024-05-01T18:28:25.746+02:00 2024-05-01 18:28:25,746 18:28:25 12/03/2024 12.03.2024",
            "at 1714587305 or 1714587305746 or 1714587305746123 or 1714587305746123456",
            "total: €9,254.78, $1,299.00, 12.50 EUR",
            "isbn 978-3-16-148410-0 ean 4006381333931",
            "version 10.2.3.4 is out, v1.2.3-rc.1, Chrome/120.0.0.0 Safari/537.36",
            "listening on 127.0.0.1:8080, [::1]:9090 and 0.0.0.0",
            "order INV-2024-5483547261 ticket 604235863 serial 507539346165",
            "x = 522397.89 + 341003.781; coordinates 37.398852, -53.999817",
            "std::fs::File a::b Foo::bar() dead::beef",
            "tokens_in=512 max_tokens: 4096 \"completion_tokens\":219 token_count=123456789",
            "password reset requested; password: required; the password is wrong; password=",
            "secret santa; api key rotation; \"api_key\": null; token = ${TOKEN}; token: <token>",
            "password = os.environ[\"DB_PASSWORD\"]; password: ********; pwd=xxxxxxxx",
            "token = changeme?; token = YOUR_API_KEY; api_key: \"REDACTED\"; sk-... AKIA****************",
            "\"token_type\":\"Bearer\",\"finish_reason\":\"stop\",\"grant_type\":\"refresh_token\"",
            "sk-learn-contrib-model-selection-tools scikit-learn",
            "@app.route @Override @types/node @babel/core import foo@1.2.3 logo@2x.png",
            "git@github.com:org/repo.git",
            "arn:aws:iam::004510476132:role/ingest",
            "pod api-gateway-7d4b9c6f5-x2x9w evicted from node ip-10-0-1-23",
            "etag W/\"924f684796cb2833\" colour #b11a73",
            "blob vT3xmV7inEb9ZMm4uU4w4skPmm0JQHFevj82SBK4IwIOnfbvh3w13nJpd8o6FMkQ",
            "parcel 1ZX83R1PNTEHO0FID9 part WAH-3188-8N",
            "GET /v1/users/8231/orders/99120 200 1532 0.034",
            "blk_-1608999687919862906 blk_3587508140051953248",
            "card 4111 1111 1111 1112 failed, card 5114 0811 6104 3777",
            "iban GB82 WEST 1234 5698 7654 33 and DE89370400440532013001 are invalid",
            "pid=31337 uid=1000 port 5432 exit code 137 in 2031 ms",
            "user=root user: admin \"user\": null \"role\":\"user\" user_id=482913",
            "build 4.28.2 on 2017-12-23, Python 3.12.1, HTTP/1.1, TLSv1.3, UTF-8",
            "1,234,567 rows; 10 000 000 rows; 3.14159265358979; 1e10; 0x7ffee4c0a8b0; 0b1010",
            "What is the capital of Mongolia and how cold is it in winter?",
            "Compare Redis with Kafka and Postgres with Apache Cassandra.",
            "Use Visual Studio Code on Windows Server with Google Chrome.",
            "Error: Connection refused. Retrying. Internal Server Error. Not Found. Bad Request.",
            "java.lang.NullPointerException: Cannot invoke \"String.length()\" at com.example.Main.run(Main.java:42)",
            "Traceback (most recent call last): File \"/usr/lib/python3/app.py\", line 58, in <module>",
            "Goldman Partners Inc opened a new office.",
            "The 5 Main Features of Spring 2024; Chapter 12 Section 3; String 5",
            "may be removed at any point in the future; values at this point are",
            "Decimal('0.367879441') Decimal('1.38435736E+12') -0.0014285714 +35236450.6",
            "pub const PPS_GETCAP: u32 = 1074294947; const IOCTL_CALL: u32 = 3225439754;",
            "STATE.store(1, Ordering::Relaxed); Engineering 101; Bea = 0xea",
            "let handle = result?; user: AuthenticatedUser; handle: Option<JoinHandle>",
            "HTTP Basic Authentication when; fn hash(password: &str, salt: &str)",
            "use half::bf16::bf16; RFC 5280 §4.1.2.2: alsa (1.2.5.1-2)",
            "[0483042](https://example.org) issues/264#issuecomment-2352654806",
            "Claude and Gemini answered; Alexa said nothing; ask Mistral",
            "<EMAIL_1> wrote to <PERSON_2> with password=<SECRET_3>",
        ],
    );
}

#[test]
fn random_ids_survive() {
    // A linear congruential walk over the shapes users complain about.
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    for _ in 0..4000 {
        let (a, b) = (next(), next());
        let (low, node) = (a & 0xffff_ffff, (a ^ b) & 0xffff_ffff_ffff);
        let uuid = format!(
            "{low:08x}-{:04x}-4{:03x}-a{:03x}-{node:012x}",
            b & 0xffff,
            a >> 40 & 0xfff,
            b >> 30 & 0xfff
        );
        let sha = format!("{a:016x}{b:016x}{:08x}", a.wrapping_mul(31) & 0xffff_ffff);
        let trace = format!("{:016x}{:016x}", a.wrapping_mul(77), b.wrapping_mul(91));
        let epoch = 1_600_000_000_000 + a % 200_000_000_000;
        let text = format!("req={uuid} sha={sha} trace_id={trace} ts={epoch} t={}", epoch / 1000);
        assert_eq!(found(&text), [], "{text}");
    }
}
