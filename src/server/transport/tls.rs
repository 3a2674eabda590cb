//! Who we are by TLS: certificate and key, read at the start and again on SIGHUP.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use crate::config::Tls;

/// Longest file of certificates or of a key, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The certificates in use; each connection keeps those that it began with.
pub struct Certificates {
    files: Tls,
    current: RwLock<Arc<ServerConfig>>,
}

/// Why certificates can't be used, with the key of `[sip.tls]` that names the file.
#[derive(Debug, thiserror::Error)]
#[error("{key} in [sip.tls]{file}: {why}")]
pub struct CertificateError {
    key: &'static str,
    file: String,
    why: String,
}

impl Certificates {
    /// Reads them.
    pub fn read(files: &Tls) -> Result<Self, CertificateError> {
        Ok(Self { current: RwLock::new(Arc::new(read(files)?)), files: files.clone() })
    }

    /// Reads them again, for the connections that follow; where they can't be used the old ones stay.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let new = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// What does the next handshake.
    pub fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn read(files: &Tls) -> Result<ServerConfig, CertificateError> {
    let error = |key, path: &Path, why: String| {
        let file = if path.as_os_str().is_empty() { String::new() } else { format!(", {}", path.display()) };
        CertificateError { key, file, why }
    };
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&TLS13, &TLS12]);
    let builder = builder.map_err(|why| error("certificate", &files.certificate, why.to_string()))?;
    let builder = if files.client_ca.as_os_str().is_empty() {
        builder.with_no_client_auth()
    } else {
        let wrong = |why| error("client_ca", &files.client_ca, why);
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.client_ca).map_err(wrong)? {
            roots.add(certificate).map_err(|why| wrong(format!("{why}; expected certificates of authorities")))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        builder.with_client_cert_verifier(verifier.map_err(|why| wrong(why.to_string()))?)
    };
    let chain = certificates(&files.certificate).map_err(|why| error("certificate", &files.certificate, why))?;
    let wrong = |why| error("key", &files.key, why);
    let pem = contents(&files.key).map_err(wrong)?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong("no private key in it; expected one in PEM, not encrypted by a password".into()))?;
    builder
        .with_single_cert(chain, key)
        .map_err(|why| wrong(format!("{why}; expected the key of the first certificate in `certificate`")))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = contents(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err("no certificate in it; expected at least one in PEM".into()),
    }
}

fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    if path.as_os_str().is_empty() {
        return Err("expected a file in PEM, as sip.listen has a tls: address".into());
    }
    let file = std::fs::File::open(path)
        .map_err(|why| format!("{why}; give the user that this program runs as the right to read it"))?;
    let length = file.metadata().map_err(|why| why.to_string())?.len().min(FILE_BYTES_MAX);
    // With room for all of it: a buffer that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("longer than {FILE_BYTES_MAX} bytes; expected certificates or a key in PEM"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A certificate and its key, in a folder.
    fn files(folder: &Path, name: &str) -> Tls {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, made.cert.pem()).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        Tls { certificate, key, client_ca: PathBuf::new() }
    }

    fn why(files: &Tls) -> String {
        Certificates::read(files).err().expect("an error").to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key_and_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = files(folder.path(), "good");
        assert!(Certificates::read(&good).is_ok());
        assert_eq!(
            why(&Tls::default()),
            "certificate in [sip.tls]: expected a file in PEM, as sip.listen has a tls: address"
        );
        let absent = Tls { key: folder.path().join("absent"), ..good.clone() };
        let said = why(&absent);
        assert!(said.starts_with("key in [sip.tls], /") && said.contains("absent: No such file"), "{said}");
        let swapped = Tls { certificate: good.key.clone(), ..good.clone() };
        assert!(why(&swapped).contains("no certificate in it"));
        let other = Tls { key: files(folder.path(), "other").key, ..good.clone() };
        assert!(why(&other).contains("expected the key of the first certificate"), "{}", why(&other));
        let ca = Tls { client_ca: good.key.clone(), ..good };
        assert!(why(&ca).starts_with("client_ca in [sip.tls], /"));
    }

    #[test]
    fn bad_new_files_leave_the_old_ones_in_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(folder.path(), "good");
        let certificates = Certificates::read(&files).expect("certificates");
        let before = Arc::as_ptr(&certificates.current.read().expect("readable"));
        std::fs::write(&files.certificate, "garbage").expect("written");
        assert!(certificates.reload().is_err());
        assert_eq!(before, Arc::as_ptr(&certificates.current.read().expect("readable")));
        assert!(!format!("{}", certificates.reload().expect_err("an error")).contains("garbage"));
    }

    #[test]
    fn a_file_may_be_so_long_and_no_longer() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(folder.path(), "good");
        let pem = std::fs::read_to_string(&files.certificate).expect("a certificate");
        // What is around the blocks of PEM is no part of them.
        let of = |bytes: u64| format!("{}\n{pem}", "x".repeat(bytes as usize - pem.len() - 1));
        std::fs::write(&files.certificate, of(FILE_BYTES_MAX)).expect("written");
        assert!(Certificates::read(&files).is_ok());
        std::fs::write(&files.certificate, of(FILE_BYTES_MAX + 1)).expect("written");
        assert!(why(&files).contains("good.pem: longer than 1048576 bytes"), "{}", why(&files));
    }
}
