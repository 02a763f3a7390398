//! TLS 1.3, and the development CA that `loggia init` makes.
//!
//! Only TLS 1.3 is offered, with no early data and no session tickets: a resumed session would skip the checks of a fresh one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::failure::Failure;

/// Days the development certificates are valid.
const VALID_DAYS: i64 = 365;

/// Paths of a store's TLS files.
#[derive(Debug)]
pub struct TlsFiles {
    /// CA certificate: what clients trust.
    pub ca: PathBuf,
    /// Server certificate chain.
    pub cert: PathBuf,
    /// Server key, 0600.
    pub key: PathBuf,
}

impl TlsFiles {
    /// The files of the store in `dir`.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let tls = dir.join("tls");
        Self { ca: tls.join("ca.pem"), cert: tls.join("server.pem"), key: tls.join("server.key") }
    }
}

/// Makes a development CA and a server certificate for loopback and `names`. The CA's key is thrown away at once, so nothing
/// else can ever be signed by it.
///
/// # Errors
/// When a file cannot be written or a name is not one a certificate can hold.
pub fn make_development_ca(dir: &Path, names: &[String], now_ns: i64) -> Result<TlsFiles, Failure> {
    let files = TlsFiles::of(dir);
    std::fs::create_dir_all(dir.join("tls"))
        .map_err(|error| Failure::io("make the TLS directory", &error))?;
    let wrong = |error: rcgen::Error| Failure::usage(format!("cannot make a certificate: {error}"));
    let ca_key = KeyPair::generate().map_err(wrong)?;
    let mut ca = params(&[], now_ns).map_err(wrong)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    ca.distinguished_name.push(DnType::CommonName, "Loggia development CA");
    let ca_cert = ca.self_signed(&ca_key).map_err(wrong)?;

    let mut all: Vec<String> = vec!["localhost".into(), "127.0.0.1".into(), "::1".into()];
    all.extend(names.iter().cloned());
    let key = KeyPair::generate().map_err(wrong)?;
    let mut server = params(&all, now_ns).map_err(wrong)?;
    server.distinguished_name.push(DnType::CommonName, "Loggia");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.use_authority_key_identifier_extension = true;
    let cert = server.signed_by(&key, &Issuer::new(ca, ca_key)).map_err(wrong)?;

    let chain = format!("{}{}", cert.pem(), ca_cert.pem());
    loggia_store::write_durably(&files.ca, ca_cert.pem().as_bytes())?;
    loggia_store::write_durably(&files.cert, chain.as_bytes())?;
    loggia_store::write_private_durably(&files.key, key.serialize_pem().as_bytes())?;
    Ok(files)
}

fn params(names: &[String], now_ns: i64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    let (year, month, day) = date_of(now_ns, -1);
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date_of(now_ns, VALID_DAYS);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    Ok(params)
}

/// UTC date of `now_ns`, `days` later.
fn date_of(now_ns: i64, days: i64) -> (i32, u8, u8) {
    let then = jiff::Timestamp::from_nanosecond(
        i128::from(now_ns) + i128::from(days) * 86_400_000_000_000,
    )
    .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    .to_zoned(jiff::tz::TimeZone::UTC);
    (
        i32::from(then.year()),
        u8::try_from(then.month()).unwrap_or(1),
        u8::try_from(then.day()).unwrap_or(1),
    )
}

/// The server's side.
///
/// # Errors
/// When a file is missing or is not what its name says.
pub fn server_config(files: &TlsFiles) -> Result<ServerConfig, Failure> {
    let chain = read_certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| {
        Failure::usage(format!("`{}` is not a private key in PEM: {error}", files.key.display()))
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Failure::usage(format!("the TLS files do not fit together: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}

/// The client's side: trusts `ca` and nothing else.
///
/// # Errors
/// When the file is missing or holds no certificate.
pub fn client_config(ca: &Path) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(ca)? {
        roots.add(certificate).map_err(|error| {
            Failure::usage(format!("`{}` holds no usable CA certificate: {error}", ca.display()))
        })?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Failure::usage(format!("TLS 1.3 is not available: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let unreadable = |error: rustls::pki_types::pem::Error| {
        Failure::usage(format!("`{}` is not a certificate in PEM: {error}", path.display()))
    };
    CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)
}
