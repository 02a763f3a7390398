//! Plain text log lines, as they stand in `/var/log`: the whole line is the body; time, severity
//! and a few header fields are read from the usual formats, by best effort.
//!
//! Known: syslog (RFC 3164 and RFC 5424, with or without `<PRI>`), ISO stamps at the start or near
//! it (dpkg, Python, journald exports), `ctime` stamps in brackets, access logs in the common and
//! combined format. A stamp without a zone counts as UTC. An indented line continues the one before
//! it and has its time. Bytes that are not UTF-8 become U+FFFD: an old log is better kept so than
//! refused.

use std::borrow::Cow;

use crate::batch::{Batch, Builder, Kind, SharedId, Sink, Value};
use crate::error::{DecodeError, Fault};
use crate::limits::Limits;
use crate::severity::{self, Level};
use crate::{intrinsic, time};

/// Decodes log lines. `now_ns` supplies the year where a stamp has none.
/// [`crate::Rejection::position`] is the line.
pub fn decode_lines<'a>(
    bytes: &'a [u8],
    now_ns: i64,
    limits: &Limits,
) -> Result<Batch<'a>, DecodeError> {
    let mut builder = Builder::new(bytes.len(), limits)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut last_time_ns = None;
    for (position, bytes) in Lines::new(bytes) {
        builder.record_at(position, Kind::Log, bytes.len(), SharedId::NONE, |sink| {
            let time_ns = match bytes.first() {
                Some(b' ' | b'\t') => last_time_ns,
                _ => None,
            };
            last_time_ns = line(bytes, now_ns, sink)?.or(time_ns);
            Ok(last_time_ns)
        })?;
    }
    Ok(builder.finish())
}

/// The lines of a text that are not blank, with their numbers and without their ends.
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    position: u32,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, position: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
            let (line, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            let position = self.position;
            self.position = position.saturating_add(1);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some((position, line));
            }
        }
        None
    }
}

fn line<'a>(bytes: &'a [u8], now_ns: i64, sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let text = String::from_utf8_lossy(bytes);
    // The header fields are borrowed from the input, which needs it to be UTF-8 as it stands.
    let found = match &text {
        Cow::Borrowed(text) => header(text, now_ns, sink)?,
        Cow::Owned(text) => Found { time_ns: stamp(text, now_ns).map(|(ns, _)| ns), level: None },
    };
    let level = found.level.or_else(|| Level::guess(&text));
    sink.intrinsic(intrinsic::BODY, Value::Str(text));
    severity::push(sink, level.map(|level| Cow::Borrowed(level.name())), 0);
    Ok(found.time_ns)
}

/// What the head of a line says.
#[derive(Default)]
struct Found {
    time_ns: Option<i64>,
    level: Option<Level>,
}

fn header<'a>(line: &'a str, now_ns: i64, sink: &mut Sink<'a, '_>) -> Result<Found, Fault> {
    if let Some((priority, rest)) = priority(line) {
        let level = Level::from_syslog(priority % 8);
        push(sink, "syslog.facility.code", Value::Int(priority / 8))?;
        let time_ns = match rest.strip_prefix("1 ") {
            Some(rest) => rfc5424(rest, sink)?,
            None => {
                let found = time::rfc3164(rest.as_bytes(), now_ns);
                tagged(found.or_else(|| time::iso(rest.as_bytes())), rest, sink)?
            }
        };
        return Ok(Found { time_ns, level });
    }
    if let Some(found) = access_log(line, sink)? {
        return Ok(found);
    }
    if let Some(time_ns) = tagged(time::rfc3164(line.as_bytes(), now_ns), line, sink)? {
        return Ok(Found { time_ns: Some(time_ns), level: None });
    }
    let Some((time_ns, rest)) = stamp(line, now_ns) else { return Ok(Found::default()) };
    // rsyslog's file format: an ISO stamp, then as RFC 3164. Only the `app[pid]:` form is sure
    // enough, since "INFO main: started" looks the same otherwise.
    if rest.starts_with(' ') && tag(rest).is_some_and(|tag| tag.pid.is_some()) {
        push_tag(rest, sink)?;
    }
    Ok(Found { time_ns: Some(time_ns), level: None })
}

fn push<'a>(sink: &mut Sink<'a, '_>, key: &'static str, value: Value<'a>) -> Result<(), Fault> {
    sink.push(Cow::Borrowed(key), value)
}

/// Finds a time stamp at the start of a line, after a bracket, or as an ISO stamp within its first
/// bytes (`Start-Date: 2025-05-20  16:48:58`). Returns what follows it, too.
fn stamp(line: &str, now_ns: i64) -> Option<(i64, &str)> {
    const LOOKED_AT: usize = 64;
    let start = line.trim_start_matches(['[', '(', '"', '<']);
    let bytes = start.as_bytes();
    let found = time::iso(bytes).or_else(|| time::ctime(bytes));
    if let Some((ns, used)) = found.or_else(|| time::rfc3164(bytes, now_ns)) {
        return Some((ns, start.get(used..).unwrap_or("")));
    }
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate().take(LOOKED_AT) {
        if byte.is_ascii_digit() && !before.is_ascii_alphanumeric() {
            let rest = line.get(at..).unwrap_or("");
            if let Some((ns, used)) = time::iso(rest.as_bytes()) {
                return Some((ns, rest.get(used..).unwrap_or("")));
            }
        }
        before = byte;
    }
    None
}

/// `<34>`: facility times eight plus severity.
fn priority(line: &str) -> Option<(i64, &str)> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let digits = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let priority = number.parse().ok().filter(|priority| digits && *priority <= 191)?;
    Some((priority, rest))
}

/// `Nov 24 03:09:16 host app[1]: message`, of which the stamp was found.
fn tagged<'a>(
    stamp: Option<(i64, usize)>,
    line: &'a str,
    sink: &mut Sink<'a, '_>,
) -> Result<Option<i64>, Fault> {
    let Some((time_ns, used)) = stamp else { return Ok(None) };
    push_tag(line.get(used..).unwrap_or(""), sink)?;
    Ok(Some(time_ns))
}

/// The part of a syslog line that says who wrote it.
struct Tag<'a> {
    host: &'a str,
    app: &'a str,
    pid: Option<&'a str>,
}

/// ` host app[pid]: …`
fn tag(rest: &str) -> Option<Tag<'_>> {
    let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (tag, _) = rest.split_once(':')?;
    let (app, pid) = match tag.split_once('[') {
        Some((app, pid)) => (app, Some(pid.strip_suffix(']')?)),
        None => (tag, None),
    };
    let name = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    };
    (name(host, 255) && !host.ends_with(':') && name(app, 48)).then_some(Tag { host, app, pid })
}

fn push_tag<'a>(rest: &'a str, sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let Some(Tag { host, app, pid }) = tag(rest) else { return Ok(()) };
    push(sink, "host.name", Value::str(host))?;
    push(sink, "service.name", Value::str(app))?;
    match pid.map(str::parse) {
        Some(Ok(pid)) => push(sink, "process.pid", Value::Int(pid)),
        Some(Err(_)) | None => Ok(()),
    }
}

/// `2003-10-11T22:14:15.003Z host app 123 ID47 [data] message`, after `<PRI>1 `.
fn rfc5424<'a>(rest: &'a str, sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let mut parts = rest.splitn(6, ' ');
    let mut part = || parts.next().filter(|part| !part.is_empty() && *part != "-");
    let time_ns = part().and_then(|stamp| time::iso(stamp.as_bytes())).map(|(ns, _)| ns);
    if let Some(host) = part() {
        push(sink, "host.name", Value::str(host))?;
    }
    if let Some(app) = part() {
        push(sink, "service.name", Value::str(app))?;
    }
    if let Some(Ok(pid)) = part().map(str::parse) {
        push(sink, "process.pid", Value::Int(pid))?;
    }
    if let Some(msgid) = part() {
        push(sink, "syslog.msgid", Value::str(msgid))?;
    }
    Ok(time_ns)
}

/// `192.0.2.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326 …`
fn access_log<'a>(line: &'a str, sink: &mut Sink<'a, '_>) -> Result<Option<Found>, Fault> {
    let Some((client, rest)) = line.split_once(' ') else { return Ok(None) };
    let head = rest.as_bytes().get(..256).unwrap_or(rest.as_bytes());
    let Some(open) = memchr::memchr(b'[', head) else { return Ok(None) };
    let stamped = rest.get(open + 1..).unwrap_or("");
    let Some((time_ns, used)) = time::common_log(stamped.as_bytes()) else { return Ok(None) };
    push(sink, "client.address", Value::str(client))?;
    let after = stamped.get(used..).unwrap_or("");
    let level = match after.strip_prefix("] \"").and_then(request) {
        Some(Request { method, status, size }) => {
            push(sink, "http.request.method", Value::str(method))?;
            push(sink, "http.response.status_code", Value::Int(status))?;
            if let Some(size) = size {
                push(sink, "http.response.body.size", Value::Int(size))?;
            }
            match status {
                500.. => Level::Error,
                400..=499 => Level::Warn,
                _ => Level::Info,
            }
        }
        None => Level::Info,
    };
    Ok(Some(Found { time_ns: Some(time_ns), level: Some(level) }))
}

struct Request<'a> {
    method: &'a str,
    status: i64,
    size: Option<i64>,
}

/// `GET /a HTTP/1.1" 200 2326`: a quote within the request line is escaped.
fn request(text: &str) -> Option<Request<'_>> {
    let (method, _) = text.split_once(' ')?;
    if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let (_, rest) = text.split_once("\" ")?;
    let mut words = rest.split(' ');
    let status = words.next()?.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some(Request { method, status, size: words.next().and_then(|size| size.parse().ok()) })
}
