//! TLS for listeners, with a certificate that can be renewed while connections are open.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// A certificate with its key. Clones share it: renewed in one, it is renewed in all.
#[derive(Clone)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key, both in PEM.
    ///
    /// # Errors
    /// Where one of them cannot be read, or the key is not the certificate's.
    pub fn new(certificates_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(ArcSwap::new(config(certificates_pem, key_pem)?))))
    }

    /// Takes another certificate and key for connections from now on. Open ones keep theirs.
    ///
    /// # Errors
    /// As [`Tls::new`]; what was there stays.
    pub fn renew(&self, certificates_pem: &[u8], key_pem: &[u8]) -> Result<(), TlsError> {
        self.take(Self::new(certificates_pem, key_pem)?);
        Ok(())
    }

    /// Takes what another one has.
    pub(crate) fn take(&self, other: Self) {
        self.0.store(other.0.load_full());
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn config(certificates_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates_pem)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Certificates)?;
    if chain.is_empty() {
        return Err(TlsError::Certificates);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?;
    // Named, not taken from a default of the process, which another crate could have set.
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|_| TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| TlsError::Pair)?;
    Ok(Arc::new(config))
}

/// Why a certificate cannot be used. Says nothing of what the files contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsError {
    /// No certificate could be read.
    Certificates,
    /// No private key could be read.
    Key,
    /// The key is not the certificate's, or of a kind that TLS here does not use.
    Pair,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificates => {
                "the certificate file holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`); give the \
                 chain, the server's own first"
            }
            Self::Key => {
                "the key file holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`); give the one made \
                 with the certificate, without a passphrase"
            }
            Self::Pair => {
                "the private key does not belong to the first certificate of the chain, or is of a kind that \
                 is not used here; ECDSA on P-256 or P-384, Ed25519 and RSA from 2048 bits are"
            }
        })
    }
}

impl std::error::Error for TlsError {}
