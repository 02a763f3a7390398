//! What must be found, by kind. Values are made up or published test values, none from the dev corpus.

use super::check;
use crate::detect::EntityKind;

#[test]
fn email() {
    check(
        EntityKind::Email,
        &[
            "write to ⟦o.brady+tag@mail.example.co.uk⟧, please",
            "{\"to\":\"⟦jörg.müller@example.de⟧\"}",
            "<⟦a_b@example.org⟧>",
            "q=⟦hanna%40example.net⟧&x=1",
            "{\"m\":\"⟦hanna\\u0040example.net⟧\"}",
            "mail me: ⟦hanna[@]example[.]net⟧",
            "⟦hanna (at) example (dot) net⟧",
            "reach ⟦hanna dot kern at example dot net⟧"
                .replace("⟦hanna dot ", "hanna dot ⟦")
                .as_str(),
            "line one\\n⟦hanna@example.net⟧\\nline two",
            "⟦hanna＠example.net⟧",
            "⟦han\u{200b}na@example.net⟧",
            "contact ⟦hanna&#64;example.net⟧ now",
            "[⟦x@example.org⟧](mailto:⟦x@example.org⟧)",
        ],
    );
}

#[test]
fn credit_card() {
    check(
        EntityKind::CreditCard,
        &[
            "paid with ⟦4111 1111 1111 1111⟧ today",
            "card=⟦5500000000000004⟧",
            "⟦378282246310005⟧",
            "⟦3782-822463-10005⟧",
            "⟦6011111111111117⟧ and ⟦30569309025904⟧",
            "⟦3530111333300000⟧",
            "⟦2223003122003222⟧",
            "card number: ⟦4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1⟧",
            "Kreditkarte ⟦４１１１１１１１１１１１１１１１⟧",
            "{\"pan\":\"⟦4111\u{a0}1111\u{a0}1111\u{a0}1111⟧\"}",
        ],
    );
}

#[test]
fn bank() {
    check(
        EntityKind::Iban,
        &[
            "IBAN ⟦GB82 WEST 1234 5698 7654 32⟧.",
            "⟦DE89370400440532013000⟧",
            "konto ⟦de89 3704 0044 0532 0130 00⟧",
            "⟦FR14 2004 1010 0505 0001 3M02 606⟧ et ⟦NL91ABNA0417164300⟧",
        ],
    );
    check(
        EntityKind::BankAccount,
        &[
            "bank account ⟦12345678⟧",
            "sort code ⟦20-30-40⟧",
            "Kontonummer: ⟦0532013000⟧",
            "routing number ⟦021000021⟧",
        ],
    );
}

#[test]
fn national_ids() {
    check(
        EntityKind::UsSsn,
        &[
            "SSN: ⟦536-90-4399⟧",
            "social security number is ⟦536 90 4399⟧",
            "ssn ⟦536904399⟧",
            "his is ⟦536-90-4399⟧",
        ],
    );
    check(EntityKind::UkNino, &["NINO ⟦AB123456C⟧", "National Insurance ⟦JG 10 37 59 A⟧"]);
    check(
        EntityKind::IdNumber,
        &[
            "DNI ⟦12345678Z⟧ o ⟦12345678-Z⟧",
            "NIE ⟦X1234567L⟧",
            "BSN ⟦111222333⟧",
            "⟦529.982.247-25⟧",
            "CPF ⟦52998224725⟧",
            "⟦11.222.333/0001-81⟧",
            "⟦1 84 12 76 451 089 46⟧",
            "NIF ⟦123456789⟧",
            "codice fiscale ⟦RSSMRA85T10A562S⟧",
            "Aadhaar ⟦2341 2341 2346⟧",
            "PESEL ⟦44051401359⟧",
            "personnummer ⟦811228-9874⟧",
            "CPR ⟦070761-4285⟧",
            "HKID ⟦A123456(3)⟧",
            "SIN ⟦046 454 286⟧",
            "TFN ⟦123 456 782⟧",
            "Steuer-ID ⟦86095742719⟧",
            "AHV ⟦756.9217.0769.85⟧",
            "NRIC ⟦S1234567D⟧",
            "⟦131052-308T⟧",
            "rijksregister ⟦85.07.30-033.28⟧",
            "kimlik ⟦10000000146⟧",
            "identity ⟦8001015009087⟧",
            "CNP ⟦1800101221144⟧",
            "EGN ⟦7523169263⟧",
            "isikukood ⟦37605030299⟧",
            "rodné číslo ⟦736028/5163⟧",
            "CUIT ⟦20-12345678-6⟧",
            "RUT ⟦12.345.678-5⟧",
            "⟦900101-1234567⟧",
            "マイナンバー ⟦123456789018⟧",
            "⟦11010519491231002X⟧",
            "PPS ⟦1234567T⟧",
            "PAN card: taxpayer ⟦ABCPE1234F⟧",
            "passport number ⟦C01X00T47⟧",
            "Führerschein ⟦B072RRE2I55⟧",
        ],
    );
    check(
        EntityKind::MedicalId,
        &["NHS number ⟦943 476 5919⟧", "MRN ⟦00482913⟧", "patient id MRN: ⟦AB104829⟧"],
    );
}

#[test]
fn network() {
    check(
        EntityKind::IpAddress,
        &[
            "from ⟦81.2.69.160⟧ port 22",
            "http://⟦81.2.69.160⟧:8080/x",
            "⟦81[.]2[.]69[.]160⟧",
            "{\"ip\":\"⟦2a00:1450:4001:81b::200e⟧\"}",
            "[⟦fe80::1ff:fe23:4567:890a⟧]:443",
            "⟦10.20.30.40⟧",
        ],
    );
    check(
        EntityKind::MacAddress,
        &["eth0 ⟦00:1b:44:11:3a:b7⟧", "⟦00-1B-44-11-3A-B7⟧", "⟦001b.4411.3ab7⟧"],
    );
}

#[test]
fn phone() {
    check(
        EntityKind::Phone,
        &[
            "call ⟦+1 415 555 2671⟧",
            "⟦+44 20 7946 0958⟧",
            "⟦+49 (0)30 901820⟧".replace("(0)", "").as_str(),
            "⟦(212) 555-0142⟧",
            "⟦212-555-0142⟧ ext",
            "Tel.: ⟦030 901820⟧",
            "tél ⟦01 42 68 53 00⟧",
            "⟦06-12345678⟧",
            "{\"phone\":\"⟦4155552671⟧\"}",
            "fax ⟦0049 30 901820⟧",
            "電話⟦03-3224-9999⟧です",
            "{\"tel\":\"⟦+39 06 6982⟧\"}",
        ],
    );
}

#[test]
fn date_of_birth() {
    check(
        EntityKind::DateOfBirth,
        &[
            "born on ⟦12 March 1984⟧ in",
            "DOB ⟦03/12/1984⟧",
            "{\"birth_date\":\"⟦1984-03-12⟧\"}",
            "Geburtsdatum: ⟦12.03.1984⟧",
            "geboren am ⟦12. März 1984⟧",
            "née le ⟦12 mars 1984⟧",
            "nacido el ⟦12 de marzo de 1984⟧",
            "date of birth: ⟦March 12, 1984⟧",
            "生年月日: ⟦1984年3月12日⟧",
        ],
    );
}

#[test]
fn wallet() {
    check(
        EntityKind::Crypto,
        &[
            "send to ⟦1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa⟧",
            "⟦3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy⟧",
            "⟦bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq⟧",
            "⟦bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297⟧",
            "eth ⟦0x52908400098527886E0F7030069857D2E4169EE7⟧",
        ],
    );
}

#[test]
fn secrets() {
    let rows: Vec<String> = [
        "AWS_ACCESS_KEY_ID=⟦AKIA~IOSFODNN7EXAMPLE⟧",
        "aws_secret_access_key = \"⟦wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY⟧\"",
        "use ⟦ghp_~16C7e42F292c6912E7710c838347Ae178B4a⟧ now",
        "⟦glpat-~x7Kq2mZ9pLw4Vt8NcR3s⟧",
        "⟦xoxb-~123456789012-1234567890123-4mt0t4l1yf4k3t0k3n99zzQ1⟧",
        "key ⟦sk-~ant-api03-Zx81kQm2LpV0r7TtYb34Nc56Wd⟧",
        "⟦sk-~proj-Zx81kQm2LpV0r7TtYb34Nc56Wd⟧",
        "⟦hf_~QmZx81kLpV0r7TtYb34Nc56WdAaBbCcDd⟧",
        "⟦lgk_~a1B2c3D4e5F6_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP1q2W3e4R⟧",
        "Authorization: Bearer ⟦f3kQ9z0PpLm27XyWvTt5Rr8s⟧",
        "Authorization: Basic ⟦YWxhZGRpbjpvcGVuc2VzYW1l⟧",
        "Cookie: s=⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r⟧",
        "postgres://app:⟦s3cr3t-Pw⟧@db.internal:5432/main",
        "redis://:⟦hunter2hunter2⟧@cache:6379",
        "password=⟦hunter2⟧",
        "{\"password\":\"⟦correct horse⟧\"}",
        "{\\\"db_password\\\":\\\"⟦Tr0ub4dor&3⟧\\\"}",
        "DB_PASSWORD: ⟦Tr0ub4dor&3⟧",
        "client_secret: '⟦8Q~xk2Lm9Pz4Rt7Vw1Yb3Nc6⟧'".replace('~', "-").as_str(),
        "Server=x;Uid=sa;Pwd=⟦P4ss.word1⟧;",
        "Passwort: ⟦Sommer-2031⟧",
        "https://hooks.slack.example/x"
            .replace(
                "https://hooks.slack.example/x",
                "⟦https://hooks.slack.com/services/T000~AAAA/B000AAAA/abcdefghijklmnopqrstuvwx⟧",
            )
            .as_str(),
        "?⟦sv=2022-11-02&ss=b&se=2031-01-01&sig=Zm9vYmFyYmF6cXV4Zm9vYmFy%3D⟧",
        "-----⟦BEGIN"
            .replace(
                "-----⟦BEGIN",
                "⟦-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----⟧\nafter",
            )
            .as_str(),
        "bot ⟦123456789:AA~Fk3k9z0PpLm27XyWvTt5Rr8sQq1Zz4Yy6⟧",
        "AccountKey=⟦Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4==⟧;EndpointSuffix",
    ]
    .iter()
    // The sign keeps the rows themselves from looking like live keys to secret scanners.
    .map(|row| row.replace('~', ""))
    .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    check(EntityKind::Secret, &rows);
}

#[test]
fn usernames() {
    check(
        EntityKind::Username,
        &[
            "user=⟦kwright81⟧ action=login",
            "\"username\": \"⟦mia.kern⟧\"",
            "sshd: invalid user ⟦oracle7⟧ from 10.0.0.1".replace("10.0.0.1", "host").as_str(),
            "follow me on twitter @⟦mia_kern⟧",
        ],
    );
}

#[test]
fn persons() {
    check(
        EntityKind::Person,
        &[
            "Dear ⟦Hannah⟧, thank you",
            "my name is ⟦Tobias Lindqvist⟧ and",
            "Mr. ⟦Okonkwo⟧ called",
            "Herr ⟦Dr. Weber⟧ kommt".replace("⟦Dr. ", "Dr. ⟦").as_str(),
            "spoke with ⟦Emily Watson⟧ yesterday",
            "{\"customer_name\":\"⟦Giulia Ferrari⟧\"}",
            "{\"first_name\":\"⟦Giulia⟧\",\"last_name\":\"⟦Ferrari⟧\"}",
            "Ich heiße ⟦Jürgen Schäfer⟧.",
            "Je m'appelle ⟦Camille Laurent⟧.",
            "Me llamo ⟦Lucía Fernández⟧.",
            "⟦Vincent van Gogh⟧ painted",
            "Signed, ⟦J. Peterson⟧",
            "我叫⟦王小明⟧，",
        ],
    );
}

#[test]
fn addresses() {
    check(
        EntityKind::Address,
        &[
            "lives at ⟦221 Baker Street⟧, London",
            "ship to ⟦1600 Amphitheatre Parkway⟧",
            "wohnt in der ⟦Hauptstraße 12a⟧, 10115 Berlin",
            "⟦Karl-Marx-Allee 34⟧",
            "⟦12, rue de la Paix⟧, 75002 Paris",
            "⟦Via Garibaldi 7⟧, Milano",
            "⟦Calle de Alcalá, 45⟧",
            "⟦Prinsengracht 263⟧, Amsterdam",
            "⟦Rua Augusta, 1500⟧",
            "⟦742 Evergreen Terrace, Apt. 4⟧",
            "{\"address\":\"⟦5 Old Mill Lane⟧\"}",
            "PO box: ⟦PO Box 9022⟧".replace("PO box: ", "send to ").as_str(),
        ],
    );
}
