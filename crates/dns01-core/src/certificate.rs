//! Certificates as they come from a CA: parsed, described, and checked before anything is stored.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::key::hex;
use crate::{Exit, Explain, Identifier, SpkiHash};

/// A chain of this size is hostile: the longest real ones stay under a third of it.
const LONGEST_CHAIN: usize = 95_000;
const MOST_CERTIFICATES: usize = 10;

/// A certificate chain, leaf first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chain {
    certificates: Vec<Certificate>,
    der: Vec<Vec<u8>>,
}

/// What a certificate says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// The serial number, lower-case hexadecimal with colons.
    pub serial: String,
    /// The DNS names it is for, sorted.
    pub names: Vec<Identifier>,
    /// Whether it also names something that is no DNS name we know (an IP address, an e-mail address).
    pub names_others: bool,
    /// The issuer's common name, or its whole name where it has none.
    pub issuer: String,
    /// The common name of the subject, if it has one.
    pub subject: String,
    /// The first moment of validity.
    pub not_before: DateTime<Utc>,
    /// The last moment of validity.
    pub not_after: DateTime<Utc>,
    /// `sha256:` and the hexadecimal SHA-256 of the DER.
    pub fingerprint: String,
    /// The key it certifies.
    pub spki: SpkiHash,
    /// The identifier under which a CA gives renewal information (RFC 9773 §4.1); `None` without an authority key id.
    pub ari_id: Option<String>,
}

impl Chain {
    /// Reads one or more PEM certificates, leaf first; text around them is ignored.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        if pem.len() > LONGEST_CHAIN {
            return Err(CertificateError::TooLong);
        }
        let mut certificates = Vec::new();
        let mut der = Vec::new();
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|_| CertificateError::NotPem)?;
            if block.label != "CERTIFICATE" {
                continue;
            }
            certificates.push(Certificate::from_der(&block.contents)?);
            der.push(block.contents);
            if der.len() > MOST_CERTIFICATES {
                return Err(CertificateError::TooLong);
            }
        }
        if der.is_empty() { Err(CertificateError::NotPem) } else { Ok(Self { certificates, der }) }
    }

    /// The certificate itself.
    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    /// All of them, leaf first.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The leaf alone, as PEM.
    pub fn leaf_pem(&self) -> String {
        armour(&self.der[..1])
    }

    /// Everything above the leaf, as PEM; may be empty.
    pub fn issuers_pem(&self) -> String {
        armour(&self.der[1..])
    }

    /// The whole chain as PEM, leaf first.
    pub fn pem(&self) -> String {
        armour(&self.der)
    }

    /// Checks what must hold before a certificate is stored: it certifies our key, names exactly what was ordered,
    /// each link is signed by the next, and it is valid at `now`.
    pub fn check(
        &self,
        names: &[Identifier],
        key: &SpkiHash,
        now: DateTime<Utc>,
    ) -> Result<(), Integrity> {
        let leaf = self.leaf();
        if leaf.spki != *key {
            return Err(Integrity::OtherKey { certified: leaf.spki.clone(), ours: key.clone() });
        }
        let mut ordered = names.to_vec();
        ordered.sort();
        ordered.dedup();
        if leaf.names_others || leaf.names != ordered {
            return Err(Integrity::OtherNames {
                certified: listed(&leaf.names),
                ordered: listed(&ordered),
            });
        }
        if now < leaf.not_before || now > leaf.not_after {
            return Err(Integrity::NotValidNow {
                not_before: leaf.not_before,
                not_after: leaf.not_after,
                now,
            });
        }
        self.check_links()
    }

    fn check_links(&self) -> Result<(), Integrity> {
        for (position, pair) in self.der.windows(2).enumerate() {
            let broken = || Integrity::BrokenLink {
                subject: self.certificates[position].subject.clone(),
                issuer: self.certificates[position + 1].subject.clone(),
            };
            let (_, below) = X509Certificate::from_der(&pair[0]).map_err(|_| broken())?;
            let (_, above) = X509Certificate::from_der(&pair[1]).map_err(|_| broken())?;
            if below.issuer().as_raw() != above.subject().as_raw() {
                return Err(broken());
            }
            below.verify_signature(Some(above.public_key())).map_err(|_| broken())?;
        }
        Ok(())
    }
}

impl Certificate {
    fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| CertificateError::NotX509)?;
        if !rest.is_empty() {
            return Err(CertificateError::NotX509);
        }
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(CertificateError::NotX509);
        let (names, names_others) = names_of(&parsed);
        Ok(Self {
            serial: parsed
                .raw_serial()
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect::<Vec<_>>()
                .join(":"),
            names,
            names_others,
            issuer: common_name(parsed.issuer()),
            subject: common_name(parsed.subject()),
            not_before: time(parsed.validity().not_before.timestamp())?,
            not_after: time(parsed.validity().not_after.timestamp())?,
            fingerprint: format!("sha256:{}", hex(&Sha256::digest(der))),
            spki: SpkiHash::of(parsed.public_key().raw),
            ari_id: ari_id(&parsed),
        })
    }

    /// How long it is valid in all.
    pub fn lifetime(&self) -> chrono::TimeDelta {
        self.not_after - self.not_before
    }
}

fn names_of(parsed: &X509Certificate<'_>) -> (Vec<Identifier>, bool) {
    let mut others = false;
    let mut names = Vec::new();
    if let Ok(Some(extension)) = parsed.subject_alternative_name() {
        for name in &extension.value.general_names {
            match name {
                GeneralName::DNSName(text) => match text.parse() {
                    Ok(identifier) => names.push(identifier),
                    Err(_) => others = true,
                },
                _ => others = true,
            }
        }
    }
    names.sort();
    names.dedup();
    (names, others)
}

fn common_name(name: &x509_parser::x509::X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|attribute| attribute.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}

/// base64url of the authority key identifier, a dot, base64url of the serial's DER octets (RFC 9773 §4.1).
fn ari_id(parsed: &X509Certificate<'_>) -> Option<String> {
    let authority =
        parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(identifier) => {
                identifier.key_identifier.as_ref()
            }
            _ => None,
        })?;
    let encode = |octets: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(octets);
    Some(format!("{}.{}", encode(authority.0), encode(parsed.raw_serial())))
}

fn listed(names: &[Identifier]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn armour(certificates: &[Vec<u8>]) -> String {
    let mut pem = String::new();
    for der in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in BASE64_STANDARD.encode(der).as_bytes().chunks(64) {
            pem.extend(line.iter().map(|octet| char::from(*octet)));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// Why a text is no certificate chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No PEM certificate in it.
    #[error("there is no PEM certificate in it")]
    NotPem,
    /// A block is no X.509 certificate.
    #[error("a PEM block is not an X.509 certificate")]
    NotX509,
    /// More than any real chain has.
    #[error("the chain has more than {MOST_CERTIFICATES} certificates or {LONGEST_CHAIN} octets")]
    TooLong,
}

impl Explain for CertificateError {
    fn exit(&self) -> Exit {
        Exit::Integrity
    }
}

/// Why a certificate may not be stored.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Integrity {
    /// Somebody else's key.
    #[error("the certificate is for key {certified}, ours is {ours}")]
    OtherKey {
        /// The key in the certificate.
        certified: SpkiHash,
        /// The key we hold.
        ours: SpkiHash,
    },
    /// Other names than ordered.
    #[error("the certificate is for {certified}; ordered were {ordered}")]
    OtherNames {
        /// The names in it.
        certified: String,
        /// The names of the order.
        ordered: String,
    },
    /// The clock is wrong, or the certificate is.
    #[error("the certificate is valid from {not_before} to {not_after}, and now is {now}")]
    NotValidNow {
        /// Start.
        not_before: DateTime<Utc>,
        /// End.
        not_after: DateTime<Utc>,
        /// The clock's word.
        now: DateTime<Utc>,
    },
    /// A signature in the chain does not verify.
    #[error("`{subject}` is not signed by `{issuer}`, the next certificate of the chain")]
    BrokenLink {
        /// Lower certificate.
        subject: String,
        /// Upper certificate.
        issuer: String,
    },
}

impl Explain for Integrity {
    fn exit(&self) -> Exit {
        Exit::Integrity
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NotValidNow { .. }).then(|| "check this machine's clock".into())
    }
}
