//! `sslmode` and `sslrootcert` of an address → a TLS connector, with libpq's meanings.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    WantsVerifier,
    client::{
        WantsClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;

/// What the driver connects with.
pub(super) type Connector = MakeRustlsConnect;

/// How a connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Security {
    mode: Mode,
    /// File with the certificates to trust; `None` is the machine's own.
    root_file: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Never.
    Disable,
    /// When the server can, without proof of who it is.
    Prefer,
    /// Always, without proof of who it is.
    Require,
    /// Always, with a trusted certificate.
    VerifyCa,
    /// Always, with a trusted certificate for the host's name.
    VerifyFull,
}

impl Security {
    /// The part the driver decides.
    pub(super) fn driver_mode(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// Takes the settings out of an address that the driver does not know.
pub(super) fn split_url(url: &str) -> Result<(String, Security), Error> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode = None;
    let mut root_file = None;
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(parse_mode(value)?),
            Some(("sslrootcert", value)) => root_file = Some(value.replace("%2F", "/")),
            _ => rest.push(pair),
        }
    }
    let mode = match (mode, &root_file) {
        // As in libpq: a file of certificates makes `require` check them.
        (Some(Mode::Require), Some(_)) => Mode::VerifyCa,
        (Some(mode), _) => mode,
        (None, _) => Mode::Prefer,
    };
    let url = if rest.is_empty() { address.to_owned() } else { format!("{address}?{}", rest.join("&")) };
    Ok((url, Security { mode, root_file }))
}

fn parse_mode(text: &str) -> Result<Mode, Error> {
    match text {
        "disable" => Ok(Mode::Disable),
        "allow" | "prefer" => Ok(Mode::Prefer),
        "require" => Ok(Mode::Require),
        "verify-ca" => Ok(Mode::VerifyCa),
        "verify-full" => Ok(Mode::VerifyFull),
        other => Err(Error::Address(format!("sslmode is {other}; expected disable, prefer, require, verify-ca or verify-full"))),
    }
}

/// Builds the connector. The certificates of `ca_file` are trusted beside the machine's own.
pub(super) fn connector(security: &Security, ca_file: Option<&Path>) -> Result<Connector, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Address(error.to_string()))?;
    let config = match security.mode {
        Mode::Disable | Mode::Prefer | Mode::Require => without_name(builder, None, provider),
        Mode::VerifyCa => {
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(security, ca_file)?), provider.clone())
                .build()
                .map_err(|error| Error::Address(error.to_string()))?;
            without_name(builder, Some(chain), provider)
        }
        Mode::VerifyFull => builder.with_root_certificates(roots(security, ca_file)?),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn without_name(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName { chain, provider }))
}

fn roots(security: &Security, ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match &security.root_file {
        Some(path) => add_file(&mut store, Path::new(path))?,
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            ca_file.map(|path| add_file(&mut store, path)).transpose()?;
        }
    }
    if store.is_empty() {
        return Err(Error::Address("no trusted certificates found: name a file with sslrootcert".to_owned()));
    }
    Ok(store)
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    let unusable = |error: &dyn std::fmt::Display| Error::Address(format!("{}: {error}", path.display()));
    let text = fs::read(path).map_err(|error| unusable(&error))?;
    for certificate in rustls_pemfile::certs(&mut text.as_slice()) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        store.add(certificate).map_err(|error| unusable(&error))?;
    }
    Ok(())
}

/// Encrypts, and takes a certificate for any name: one of a trusted chain where `verify-ca` asks for it, any at all for `prefer` and
/// `require`.
#[derive(Debug)]
struct AnyName {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_sslmode_prefers_encryption_and_a_root_file_demands_proof() {
        let of = |url: &str| split_url(url).map(|(url, security)| (url, security.mode));
        assert_eq!(of("postgres://a@h/d"), Ok(("postgres://a@h/d".to_owned(), Mode::Prefer)));
        assert_eq!(
            of("postgres://a@h/d?sslmode=require&application_name=x&sslrootcert=/ca.pem"),
            Ok(("postgres://a@h/d?application_name=x".to_owned(), Mode::VerifyCa))
        );
        assert!(of("postgres://h/d?sslmode=sometimes").is_err());
    }
}
