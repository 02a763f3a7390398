//! What people, models and services say: tables of sentences with slots, one set per language.
//!
//! A slot is a word in braces; `talk.rs` fills it with something random, so that texts differ and compress like real ones.

use super::rng::Rng;
use super::words::{self, Words};

/// Languages of the platform's users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    En,
    De,
    Fr,
    Es,
    It,
    Pt,
    Nl,
    Ja,
    Zh,
}

impl Language {
    /// A language, English most often.
    pub(super) fn any(rng: &mut Rng) -> Self {
        match rng.weighted(&[52, 13, 9, 8, 4, 4, 3, 4, 3]) {
            1 => Self::De,
            2 => Self::Fr,
            3 => Self::Es,
            4 => Self::It,
            5 => Self::Pt,
            6 => Self::Nl,
            7 => Self::Ja,
            8 => Self::Zh,
            _ => Self::En,
        }
    }

    /// Sentences of this language.
    pub(super) fn phrases(self) -> &'static Phrases {
        match self {
            Self::En => &EN,
            Self::De => &DE,
            Self::Fr => &FR,
            Self::Es => &ES,
            Self::It => &IT,
            Self::Pt => &PT,
            Self::Nl => &NL,
            Self::Ja => &JA,
            Self::Zh => &ZH,
        }
    }
}

impl Language {
    /// Word lists for free sentences, where there are any.
    pub(super) fn words(self) -> Option<&'static Words> {
        match self {
            Self::En => Some(&words::EN),
            Self::De => Some(&words::DE),
            Self::Fr => Some(&words::FR),
            Self::Es => Some(&words::ES),
            Self::It | Self::Pt | Self::Nl | Self::Ja | Self::Zh => None,
        }
    }
}

/// Sentences of one language.
#[derive(Debug)]
pub(super) struct Phrases {
    /// What a user asks.
    pub(super) asks: &'static [&'static str],
    /// What a model answers.
    pub(super) answers: &'static [&'static str],
    /// How a user gives away personal data.
    pub(super) personal: &'static [&'static str],
}

/// What operators tell the model.
pub(super) const SYSTEM_PROMPTS: [&str; 4] = [
    "You are the support assistant of Northwind Parcels. Answer briefly, in the customer's language. Never promise a delivery date.",
    "You are a careful coding assistant. Prefer small changes, explain trade-offs in one sentence, and say when you are not sure.",
    "You help analysts of an insurer to read policies and claims. Quote the clause you rely on. Do not give legal advice.",
    "You are a travel planner. Ask for missing dates before you search, and list at most three options with their prices.",
];

pub(super) const TOPICS: [&str; 36] = [
    "invoice",
    "parcel",
    "refund",
    "password reset",
    "subscription",
    "warranty claim",
    "data export",
    "API quota",
    "delivery window",
    "tax form",
    "insurance policy",
    "flight change",
    "hotel voucher",
    "payroll run",
    "onboarding plan",
    "sprint report",
    "database migration",
    "unit test",
    "Kubernetes rollout",
    "cache eviction",
    "sales forecast",
    "quarterly budget",
    "translation",
    "meeting notes",
    "cover letter",
    "lesson plan",
    "recipe",
    "training schedule",
    "customs declaration",
    "loan offer",
    "rental contract",
    "blood test appointment",
    "marketing e-mail",
    "price list",
    "incident review",
    "access request",
];

pub(super) const PRODUCTS: [&str; 24] = [
    "Heron 300",
    "Alder Desk",
    "Quill Pro",
    "Tern Router",
    "Basalt Cloud",
    "Ferry Pass",
    "Linden Phone",
    "Otter Scale",
    "Copper Mail",
    "Marten Bike",
    "Cobalt Sync",
    "Willow Chair",
    "Kestrel Cam",
    "Aster Sensor",
    "Juniper Card",
    "Lark Speaker",
    "Granite NAS",
    "Plover Tent",
    "Sorrel Pump",
    "Teal Monitor",
    "Vetch Planner",
    "Wren Headset",
    "Yarrow Lamp",
    "Zephyr Fan",
];

pub(super) const ADJECTIVES: [&str; 28] = [
    "late",
    "partial",
    "duplicate",
    "unexpected",
    "monthly",
    "final",
    "corrected",
    "missing",
    "provisional",
    "automatic",
    "regional",
    "urgent",
    "second",
    "combined",
    "pending",
    "refundable",
    "expired",
    "revised",
    "internal",
    "optional",
    "broken",
    "detailed",
    "earlier",
    "shared",
    "recurring",
    "manual",
    "outdated",
    "complete",
];

pub(super) const VERBS: [&str; 26] = [
    "check",
    "explain",
    "compare",
    "cancel",
    "renew",
    "summarise",
    "translate",
    "update",
    "split",
    "confirm",
    "rewrite",
    "schedule",
    "estimate",
    "track",
    "review",
    "merge",
    "convert",
    "verify",
    "draft",
    "postpone",
    "escalate",
    "archive",
    "approve",
    "simplify",
    "reorder",
    "transfer",
];

pub(super) const CITIES: [&str; 30] = [
    "Hamburg", "Lyon", "Porto", "Utrecht", "Bologna", "Sevilla", "Leeds", "Cork", "Graz", "Basel",
    "Gent", "Aarhus", "Tampere", "Gdansk", "Brno", "Bilbao", "Nantes", "Dresden", "Verona",
    "Braga", "Leuven", "Bristol", "Galway", "Linz", "Lausanne", "Malmo", "Osaka", "Nagoya",
    "Chengdu", "Boston",
];

pub(super) const STREETS: [&str; 18] = [
    "Lindenstrasse",
    "Rue des Tilleuls",
    "Via Garibaldi",
    "Calle Mayor",
    "Rua Direita",
    "Kerkstraat",
    "Mill Lane",
    "Station Road",
    "Bahnhofstrasse",
    "Rue Victor Hugo",
    "Via Roma",
    "Calle del Prado",
    "Orchard Street",
    "Gartenweg",
    "Avenue des Champs",
    "Church Street",
    "Hafenstrasse",
    "Park Avenue",
];

pub(super) const FIRST_NAMES: [&str; 48] = [
    "Anna", "Jonas", "Marie", "Lukas", "Camille", "Hugo", "Chloé", "Louis", "Lucía", "Mateo",
    "Sofía", "Diego", "Giulia", "Marco", "Elena", "Paolo", "Beatriz", "João", "Inês", "Tiago",
    "Sanne", "Daan", "Femke", "Bram", "Emma", "Oliver", "Grace", "Thomas", "Harriet", "James",
    "Priya", "Arjun", "Yuki", "Haruto", "Mei", "Wei", "Fatima", "Omar", "Leila", "Karim", "Zofia",
    "Piotr", "Astrid", "Lars", "Noor", "Emre", "Ivana", "Petr",
];

pub(super) const LAST_NAMES: [&str; 48] = [
    "Schneider",
    "Hoffmann",
    "Keller",
    "Wagner",
    "Lefebvre",
    "Moreau",
    "Girard",
    "Rousseau",
    "Navarro",
    "Ortega",
    "Serrano",
    "Castillo",
    "Ferrari",
    "Colombo",
    "Ricci",
    "Galli",
    "Carvalho",
    "Teixeira",
    "Moura",
    "Pinto",
    "Jansen",
    "Visser",
    "Bakker",
    "Mulder",
    "Thompson",
    "Whitfield",
    "Ashworth",
    "Bennett",
    "Sharma",
    "Patel",
    "Tanaka",
    "Sato",
    "Chen",
    "Zhang",
    "Haddad",
    "Mansour",
    "Kowalska",
    "Nowak",
    "Lindqvist",
    "Berg",
    "Yilmaz",
    "Demir",
    "Horvat",
    "Novotny",
    "O'Brien",
    "Kelly",
    "Fitzgerald",
    "Murray",
];

const EN: Phrases = Phrases {
    asks: &[
        "Can you {verb} the {adj} {topic} for my {product}?",
        "I ordered a {product} on {date} and the {topic} still shows {n} open items.",
        "Please {verb} this {topic}; my manager in {city} wants it before {date}.",
        "What is the difference between a {adj} {topic} and a {adj} one, and which should I choose?",
        "The {topic} failed with code {id} after {n} minutes, how do I {verb} it?",
        "Give me a short list of steps to {verb} a {topic}, with the risks of each.",
        "Here is the text of the {topic}: the {product} in {city} needs {n} units, reference {id}.",
        "Why does it say {n} percent when the {adj} {topic} from {date} said {n}?",
    ],
    answers: &[
        "I looked at the {adj} {topic}: reference {id} was created on {date} and has {n} entries.",
        "To {verb} it, open the {product} page, choose {topic}, and enter the code {id}.",
        "There are two ways. The first is to {verb} the {topic} yourself; the second takes about {n} days.",
        "The {product} depot in {city} reports a {adj} delay of {n} hours, so the {topic} may change.",
        "In short: {verb} the {adj} part first, then {verb} the rest, and keep {id} for your records.",
        "The numbers differ because the {topic} of {date} counted {n} items twice.",
        "I could not find a {adj} {topic} with that reference; did you mean {id}?",
        "Please note that a {adj} {topic} cannot be changed after {date}, except through the office in {city}.",
    ],
    personal: &[
        "My name is {name} and you can reach me at {email}.",
        "Please call me back on {phone}, I am {name}.",
        "Send the refund to {iban}, account holder {name}.",
        "I paid with the card {card}, and I live at {address}.",
        "The contract is on {email}, born {birthday}, phone {phone}.",
    ],
};

const DE: Phrases = Phrases {
    asks: &[
        "Können Sie mir bitte bei {product} helfen, die Nummer ist {id}?",
        "Ich warte seit {n} Tagen auf eine Antwort zu meinem Auftrag vom {date}.",
        "Bitte fassen Sie den Vorgang {id} in drei Sätzen zusammen, auf Deutsch und ohne Fachwörter.",
        "Warum steht auf der Rechnung für {product} ein Betrag von {n} Euro, obwohl ich gekündigt habe?",
        "Schreiben Sie eine höfliche Absage an das Büro in {city}, Termin {date}.",
    ],
    answers: &[
        "Ihr Auftrag {id} wurde am {date} angelegt und liegt derzeit im Lager {city}.",
        "Gern. Öffnen Sie zuerst die Seite von {product} und wählen Sie dort den Vorgang {id}.",
        "Der Betrag von {n} Euro setzt sich aus zwei Posten zusammen; der zweite wurde doppelt gebucht.",
        "Eine Änderung ist bis zum {date} möglich, danach nur noch schriftlich über {city}.",
        "Zusammengefasst: Die Lieferung verzögert sich um {n} Stunden, weitere Schritte sind nicht nötig.",
    ],
    personal: &[
        "Mein Name ist {name}, meine E-Mail lautet {email}.",
        "Sie erreichen mich unter {phone}, wohnhaft {address}.",
        "Bitte überweisen Sie auf {iban}, Kontoinhaber {name}.",
        "Ich habe mit der Karte {card} bezahlt, geboren am {birthday}.",
    ],
};

const FR: Phrases = Phrases {
    asks: &[
        "Pouvez-vous vérifier ma commande {id} pour {product}, s'il vous plaît ?",
        "Je n'ai rien reçu depuis le {date}, cela fait {n} jours.",
        "Résumez ce dossier en quelques lignes pour l'équipe de {city}.",
        "Quelle est la différence entre les deux offres de {product}, et laquelle coûte moins de {n} euros ?",
    ],
    answers: &[
        "Votre commande {id} a été enregistrée le {date} et se trouve à {city}.",
        "Bien sûr. Ouvrez la page de {product}, puis saisissez le code {id}.",
        "La différence tient à {n} euros de frais, facturés une seule fois.",
        "Le délai est d'environ {n} heures ; aucune action n'est nécessaire de votre part.",
    ],
    personal: &[
        "Je m'appelle {name} et mon adresse e-mail est {email}.",
        "Vous pouvez me joindre au {phone}, j'habite {address}.",
        "Le remboursement doit aller sur {iban}, au nom de {name}.",
    ],
};

const ES: Phrases = Phrases {
    asks: &[
        "¿Puede revisar el pedido {id} de {product}, por favor?",
        "Llevo {n} días esperando una respuesta desde el {date}.",
        "Resuma este caso en tres frases para la oficina de {city}.",
        "¿Por qué aparece un cargo de {n} euros por {product}?",
    ],
    answers: &[
        "Su pedido {id} se creó el {date} y está en {city}.",
        "Abra la página de {product} e introduzca el código {id}.",
        "El cargo de {n} euros corresponde a dos conceptos; el segundo se devolverá.",
        "El retraso será de unas {n} horas y no hace falta que haga nada.",
    ],
    personal: &[
        "Me llamo {name} y mi correo es {email}.",
        "Mi teléfono es {phone} y vivo en {address}.",
        "Hagan la transferencia a {iban}, a nombre de {name}.",
    ],
};

const IT: Phrases = Phrases {
    asks: &[
        "Può controllare l'ordine {id} per {product}?",
        "Aspetto una risposta dal {date}, sono passati {n} giorni.",
        "Riassuma la pratica in poche righe per la sede di {city}.",
    ],
    answers: &[
        "Il suo ordine {id} è stato creato il {date} e si trova a {city}.",
        "Apra la pagina di {product} e inserisca il codice {id}.",
        "Il ritardo previsto è di {n} ore, non deve fare nulla.",
    ],
    personal: &[
        "Mi chiamo {name}, la mia e-mail è {email}.",
        "Il mio numero è {phone}, abito in {address}.",
    ],
};

const PT: Phrases = Phrases {
    asks: &[
        "Pode verificar a encomenda {id} do {product}, por favor?",
        "Estou à espera desde {date}, já passaram {n} dias.",
        "Resuma este processo em três frases para a equipa de {city}.",
    ],
    answers: &[
        "A sua encomenda {id} foi criada em {date} e está em {city}.",
        "Abra a página do {product} e introduza o código {id}.",
        "O atraso será de cerca de {n} horas.",
    ],
    personal: &[
        "Chamo-me {name} e o meu e-mail é {email}.",
        "O meu telefone é {phone}, moro em {address}.",
    ],
};

const NL: Phrases = Phrases {
    asks: &[
        "Kunt u bestelling {id} voor de {product} nakijken?",
        "Ik wacht al {n} dagen op antwoord, sinds {date}.",
        "Vat dit dossier samen in drie zinnen voor het kantoor in {city}.",
    ],
    answers: &[
        "Uw bestelling {id} is op {date} aangemaakt en ligt in {city}.",
        "Open de pagina van {product} en vul de code {id} in.",
        "De vertraging is ongeveer {n} uur.",
    ],
    personal: &[
        "Mijn naam is {name}, mijn e-mail is {email}.",
        "Het nummer is {phone} en het adres {address}.",
    ],
};

const JA: Phrases = Phrases {
    asks: &[
        "{product}の注文{id}の状況を確認していただけますか。",
        "{date}から{n}日待っていますが、まだ返事がありません。",
        "この資料を{city}の担当者向けに三行で要約してください。",
    ],
    answers: &[
        "ご注文{id}は{date}に登録され、現在{city}にございます。",
        "{product}のページを開き、コード{id}を入力してください。",
        "到着は約{n}時間遅れる見込みです。特に手続きは必要ありません。",
    ],
    personal: &["連絡先のメールアドレスは{email}です。", "電話番号は{phone}です。"],
};

const ZH: Phrases = Phrases {
    asks: &[
        "请帮我查一下{product}的订单{id}。",
        "我从{date}开始等了{n}天，还没有收到回复。",
        "请用三句话为{city}的同事总结这份文件。",
    ],
    answers: &[
        "您的订单{id}创建于{date}，目前在{city}。",
        "请打开{product}页面，然后输入代码{id}。",
        "预计延迟{n}小时，您无需任何操作。",
    ],
    personal: &["我的邮箱是{email}。", "请打我的电话{phone}。"],
};

/// Sentences of documents that retrieval finds.
pub(super) const DOCUMENT_SENTENCES: [&str; 12] = [
    "A {adj} {topic} is valid for {n} days from {date} and names the {product} it belongs to.",
    "Employees in {city} may {verb} a {topic} up to {n} euro without a second signature.",
    "The {product} ships with a {adj} adapter; replacements are ordered under article {id}.",
    "If a {topic} is {adj}, the office in {city} must {verb} it within {n} working days.",
    "Section {n}: customers who {verb} a {topic} before {date} pay no fee.",
    "Known issue {id}: the {product} loses its settings when a {adj} update is interrupted.",
    "Refunds for the {product} are paid to the original method within {n} days.",
    "To {verb} several items at once, upload a {topic} with at most {n} lines.",
    "The {adj} tariff applies in {city} and was last changed on {date}.",
    "Support hours are the same for every {product}; a {topic} opened after {n}:00 waits until the next day.",
    "Version {n} of the {topic} replaces {id}; earlier versions are {adj}.",
    "Do not {verb} a {topic} while its {adj} copy is under review.",
];

/// Lines of plain application logs, with their level and logger.
pub(super) const APP_LINES: [(&str, &str, &str); 14] = [
    (
        "INFO",
        "http.server",
        "request {hex} finished in {n} ms, {n} bytes sent to upstream pool {city}",
    ),
    ("INFO", "session.store", "session {hex} refreshed, {n} active on this instance"),
    ("DEBUG", "prompt.cache", "lookup for template {topic} took {n} us: hit, generation {hex}"),
    ("INFO", "rate.limiter", "bucket {hex} refilled to {n} tokens, policy {adj}"),
    ("WARN", "http.client", "retry {n} of 3 for {city} after a {adj} response, request {hex}"),
    ("INFO", "index.reader", "shard {n} answered {n} hits for collection {topic} in {n} ms"),
    (
        "DEBUG",
        "planner",
        "step {n}: {verb} the {topic}, then {verb} the {adj} result; budget left {n} tokens",
    ),
    ("INFO", "scheduler", "job {topic} started on worker {n}, deadline {date}"),
    ("WARN", "pool", "connection {hex} to {city} was idle for {n} s and is closed, {n} remain"),
    ("INFO", "ledger.posting", "posted {n} lines for period {date}, batch {hex}"),
    ("INFO", "feature.flags", "flag {adj}-{topic} evaluated to variant {n} for cohort {city}"),
    ("DEBUG", "serializer", "payload {hex}: {n} fields, {n} bytes before compression"),
    ("INFO", "gc", "pause {n} ms, heap {n} MB of {n} MB, generation {n}"),
    ("WARN", "upstream", "{product} catalogue is {n} s old, serving the {adj} copy"),
];

/// Errors: type, message, and the file that raised them.
pub(super) const ERRORS: [(&str, &str, &str); 7] = [
    ("TimeoutError", "upstream did not answer within {n} ms (request {hex})", "upstream/client.py"),
    (
        "RateLimitError",
        "429: quota for deployment {hex} is used up, retry after {n} s",
        "providers/openai.py",
    ),
    (
        "ContextLengthExceeded",
        "the prompt has {n} tokens more than the model takes",
        "prompts/window.py",
    ),
    (
        "ToolExecutionError",
        "tool could not {verb} the {topic}: reference {hex} is unknown",
        "tools/runner.py",
    ),
    ("JSONDecodeError", "expecting value: line {n} column {n} (char {n})", "parsing/structured.py"),
    ("ConnectionResetError", "peer closed the connection to {city} after {n} bytes", "net/pool.py"),
    ("PermissionDenied", "key {hex} may not {verb} the collection {topic}", "auth/guard.py"),
];

/// Frames of stack traces: file, function, statement.
pub(super) const FRAMES: [(&str, &str, &str); 10] = [
    ("chat/handlers.py", "handle_turn", "reply = await session.complete(turn)"),
    ("chat/session.py", "complete", "return await self.router.route(turn, budget)"),
    ("chat/router.py", "route", "response = await backend.generate(request)"),
    ("providers/base.py", "generate", "async with self.limiter.slot(request.model):"),
    ("providers/http.py", "post", "raise self._translate(status, payload) from error"),
    ("agents/loop.py", "run_step", "observation = await tool.call(arguments)"),
    (
        "agents/tools.py",
        "call",
        "result = await asyncio.wait_for(self.fn(**arguments), self.timeout)",
    ),
    ("rag/pipeline.py", "retrieve", "hits = await self.index.search(vector, k=self.k)"),
    ("rag/index.py", "search", "return await self._client.query(self.collection, body)"),
    ("common/retry.py", "wrapper", "return await attempt(*args, **kwargs)"),
];

pub(super) const USER_AGENTS: [&str; 5] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "AssistantApp/7.12.0 (iOS 19.1; iPhone16,2)",
    "python-httpx/0.28.1",
];

/// Tools an agent may call.
pub(super) const TOOLS: [&str; 8] = [
    "lookup_order",
    "search_flights",
    "run_sql",
    "create_ticket",
    "get_weather",
    "fetch_page",
    "send_email",
    "convert_currency",
];
