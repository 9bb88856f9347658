//! Test certificates: one authority per lab, and leaves for its HTTPS servers.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::fs;
use std::path::{Path, PathBuf};

/// A certificate authority that exists for one lab.
#[derive(Debug)]
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    file: PathBuf,
    folder: PathBuf,
}

/// A certificate and its key, as PEM and as files.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The certificate, PEM.
    pub cert: String,
    /// Its PKCS#8 key, PEM.
    pub key: String,
    /// The file with `cert`.
    pub cert_file: PathBuf,
    /// The file with `key`.
    pub key_file: PathBuf,
}

impl TestCa {
    pub(crate) fn new(folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "dns01 test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        let file = folder.join("ca.pem");
        fs::write(&file, &pem).unwrap();
        Self { issuer: Issuer::new(params, key), pem, file, folder: folder.to_owned() }
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The file with the authority's certificate: for `SSL_CERT_FILE`, `--cacert`, `REQUESTS_CA_BUNDLE`.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A server certificate for these host names and addresses.
    pub fn server(&self, names: &[&str]) -> Leaf {
        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
                .unwrap();
        params.distinguished_name.push(DnType::CommonName, "dns01 test server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, names[0])
    }

    /// A client certificate for this user of this group, as a Kubernetes API server reads them.
    pub(crate) fn client(&self, user: &str, group: &str) -> Leaf {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, user);
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, user)
    }

    fn sign(&self, mut params: CertificateParams, name: &str) -> Leaf {
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        let key = key.serialize_pem();
        let stem = self.folder.join(name.replace(['*', ':', '/'], "_"));
        let (cert_file, key_file) =
            (stem.with_added_extension("crt"), stem.with_added_extension("key"));
        fs::write(&cert_file, &cert).unwrap();
        fs::write(&key_file, &key).unwrap();
        Leaf { cert, key, cert_file, key_file }
    }
}
