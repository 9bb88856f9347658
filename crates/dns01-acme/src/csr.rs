//! Certificate signing requests: made for an order, and read when a user brings one.

use dns01_core::{BoxError, Identifier, PrivateKey, SpkiHash};
use rcgen::{CertificateParams, CertificateSigningRequest, DistinguishedName, KeyPair};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;

use crate::AcmeError;

/// What a certificate signing request asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadCsr {
    /// The names, sorted.
    pub names: Vec<Identifier>,
    /// The key to be certified.
    pub spki: SpkiHash,
    /// The request itself.
    pub der: Vec<u8>,
}

/// A PKCS #10 request for these names as DER: subject alternative names only, the subject empty.
pub fn csr(names: &[Identifier], key: &PrivateKey) -> Result<Vec<u8>, AcmeError> {
    request(names, key).map(|request| request.der().to_vec())
}

/// [`csr`] as PEM.
pub fn csr_pem(names: &[Identifier], key: &PrivateKey) -> Result<String, AcmeError> {
    request(names, key)?.pem().map_err(refuse)
}

fn request(names: &[Identifier], key: &PrivateKey) -> Result<CertificateSigningRequest, AcmeError> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let pair = KeyPair::from_pem(key.pem().expose()).map_err(refuse)?;
    let mut parameters = CertificateParams::new(names).map_err(refuse)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.serialize_request(&pair).map_err(refuse)
}

/// Reads a request in PEM or DER and checks that its own signature verifies. A common name counts as a name, as CAs
/// treat it.
pub fn read_csr(pem_or_der: &[u8]) -> Result<ReadCsr, AcmeError> {
    let der = Pem::iter_from_buffer(pem_or_der)
        .filter_map(Result::ok)
        .find(|block| block.label.ends_with("CERTIFICATE REQUEST"))
        .map_or_else(|| pem_or_der.to_vec(), |block| block.contents);
    let (rest, request) = X509CertificationRequest::from_der(&der)
        .map_err(|_| refuse("it is no PKCS #10 request in PEM or DER"))?;
    if !rest.is_empty() {
        return Err(refuse("something follows it"));
    }
    request.verify_signature().map_err(|_| refuse("its signature does not verify"))?;
    let names = names_of(&request)?;
    let spki = SpkiHash::of(request.certification_request_info.subject_pki.raw);
    Ok(ReadCsr { names, spki, der })
}

fn names_of(request: &X509CertificationRequest<'_>) -> Result<Vec<Identifier>, AcmeError> {
    let parse = |text: &str| text.parse::<Identifier>().map_err(refuse);
    let subject = &request.certification_request_info.subject;
    let mut names = Vec::new();
    for common in subject.iter_common_name() {
        names.push(parse(common.as_str().map_err(|_| refuse("its common name is no text"))?)?);
    }
    for extension in request.requested_extensions().into_iter().flatten() {
        let ParsedExtension::SubjectAlternativeName(alternatives) = extension else { continue };
        for name in &alternatives.general_names {
            let GeneralName::DNSName(text) = name else {
                return Err(refuse("it asks for something that is no DNS name"));
            };
            names.push(parse(text)?);
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() { Err(refuse("it asks for no name")) } else { Ok(names) }
}

fn refuse(why: impl Into<BoxError>) -> AcmeError {
    AcmeError::Csr { source: why.into() }
}

#[cfg(test)]
mod tests {
    use dns01_core::KeyType;

    use super::*;

    fn names() -> Vec<Identifier> {
        vec!["*.example.org".parse().unwrap(), "example.org".parse().unwrap()]
    }

    #[test]
    fn what_is_made_can_be_read_for_every_kind_of_key() {
        for kind in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
            let key = PrivateKey::generate(kind).unwrap();
            let read = read_csr(csr_pem(&names(), &key).unwrap().as_bytes()).unwrap();
            let mut sorted = names();
            sorted.sort();
            assert_eq!((read.names, read.spki), (sorted, key.spki_hash()), "{kind}");
            assert_eq!(read_csr(&csr(&names(), &key).unwrap()).unwrap().spki, key.spki_hash());
        }
    }

    #[test]
    fn the_subject_is_empty() {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let der = csr(&names(), &key).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
        assert_eq!(request.certification_request_info.subject.iter().count(), 0);
    }

    #[test]
    fn a_common_name_counts_and_an_ip_address_is_refused() {
        let pair = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(["a.example.org".to_owned()]).unwrap();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "b.example.org");
        let der = parameters.serialize_request(&pair).unwrap().der().to_vec();
        assert_eq!(read_csr(&der).unwrap().names.len(), 2);
        let address = CertificateParams::new(["192.0.2.1".to_owned()]).unwrap();
        let der = address.serialize_request(&pair).unwrap().der().to_vec();
        assert!(read_csr(&der).is_err());
    }

    #[test]
    fn a_tampered_or_foreign_text_is_refused() {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let mut der = csr(&names(), &key).unwrap();
        let last = der.len() - 1;
        der[last] ^= 1;
        assert!(read_csr(&der).is_err());
        der.push(0);
        assert!(read_csr(&der).is_err() && read_csr(b"").is_err() && read_csr(b"hello").is_err());
        assert!(read_csr(key.pem().expose().as_bytes()).is_err());
    }
}
