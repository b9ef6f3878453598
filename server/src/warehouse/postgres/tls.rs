//! `sslmode` and `sslrootcert` of an address → a TLS connector, with libpq's meanings.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::warehouse::Error;

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
        other => Err(Error::Statement(format!(
            "warehouse address: sslmode is {other}; expected disable, prefer, require, verify-ca or verify-full"
        ))),
    }
}

/// Builds the connector. The certificates of `ca_file` are trusted beside the machine's own.
pub(super) fn connector(security: &Security, ca_file: Option<&Path>) -> Result<Connector, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Statement(error.to_string()))?;
    let config = match security.mode {
        Mode::Disable | Mode::Prefer | Mode::Require => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified { provider }))
        }
        Mode::VerifyCa => {
            let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(security, ca_file)?), provider)
                .build()
                .map_err(|error| Error::Statement(error.to_string()))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName { inner }))
        }
        Mode::VerifyFull => builder.with_root_certificates(roots(security, ca_file)?),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
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
        return Err(Error::Statement("no trusted certificates found: name a file with sslrootcert".to_owned()));
    }
    Ok(store)
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    let unusable = |error: &dyn std::fmt::Display| Error::Statement(format!("{}: {error}", path.display()));
    let text = fs::read(path).map_err(|error| unusable(&error))?;
    for certificate in rustls_pemfile::certs(&mut text.as_slice()) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        store.add(certificate).map_err(|error| unusable(&error))?;
    }
    Ok(())
}

/// Encrypts, and believes any certificate: what `prefer` and `require` mean.
#[derive(Debug)]
struct Unverified {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
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

/// Checks the chain and not the name: what `verify-ca` means.
#[derive(Debug)]
struct AnyName {
    inner: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match self.inner.verify_server_cert(certificate, chain, name, ocsp, now) {
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
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
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
