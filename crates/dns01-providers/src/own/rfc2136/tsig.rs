//! Signing requests and verifying answers (RFC 8945), with the three algorithms that are not obsolete.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_core::SecretText;
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError};
use hickory_proto::rr::{Name, TSigner};

/// How far two clocks may differ, in seconds: what RFC 8945 §10 recommends.
const FUDGE: u16 = 300;

/// A shared key.
#[derive(Clone)]
pub(super) struct Key {
    signer: TSigner,
}

/// What a key cannot be made from: the part at fault, and the rest of a sentence about it.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum KeyFault {
    Name(String),
    Algorithm(String),
    Secret(String),
}

/// Whether the key's other holder wrote an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Authenticity {
    /// Its signature was verified.
    Proven,
    /// It has none: anybody may have written it.
    Unsigned,
}

impl Key {
    /// The key called `name`, whose secret is base64.
    pub(super) fn new(name: &str, algorithm: &str, secret: &SecretText) -> Result<Self, KeyFault> {
        let name = Name::from_ascii(name)
            .map_err(|_| KeyFault::Name("is not a domain name, as key names are".into()))?;
        let algorithm = match algorithm.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            weak @ ("hmac-sha1" | "hmac-md5" | "hmac-md5.sig-alg.reg.int") => {
                return Err(KeyFault::Algorithm(format!("is `{weak}`, which is too weak")));
            }
            other => {
                let other = other.escape_debug();
                return Err(KeyFault::Algorithm(format!("is `{other}`, which is not supported")));
            }
        };
        let octets = BASE64_STANDARD
            .decode(secret.expose())
            .ok()
            .filter(|octets| !octets.is_empty())
            .ok_or_else(|| KeyFault::Secret("is not base64".into()))?;
        // The library knows these three, so it can only agree.
        let signer = TSigner::new(octets, algorithm, name.to_lowercase(), FUDGE)
            .map_err(|error| KeyFault::Algorithm(error.to_string()))?;
        Ok(Self { signer })
    }

    /// The key's name, as the server should know it.
    pub(super) fn name(&self) -> String {
        self.signer.signer_name().to_ascii().trim_end_matches('.').to_owned()
    }

    /// The algorithm's name.
    pub(super) fn algorithm(&self) -> String {
        self.signer.algorithm().to_string().trim_end_matches('.').to_owned()
    }

    /// Signs `message` as of `now` (Unix seconds) and gives the MAC, which the answer's signature covers too; `None` if
    /// the message cannot be encoded.
    pub(super) fn sign(&self, message: &mut Message, now: u64) -> Option<Vec<u8>> {
        let (record, _) = self.signer.sign_message(message, now).ok()?;
        let mac = record.data.mac.clone();
        message.set_signature(record);
        Some(mac)
    }

    /// Verifies that `answer`, which came as `octets`, belongs to the request with this MAC; the error is the rest of
    /// a sentence that starts with "the answer".
    ///
    /// BADKEY and BADSIG come unsigned: without a common key the server cannot sign (RFC 8945 §5.2.1, §5.2.2).
    pub(super) fn verify(
        &self,
        answer: &Message,
        octets: &[u8],
        mac: &[u8],
        now: u64,
    ) -> Result<Authenticity, &'static str> {
        let Some(record) = answer.signature() else { return Ok(Authenticity::Unsigned) };
        let error = record.data.error;
        if record.data.mac.is_empty()
            && matches!(error, Some(TsigError::BadKey | TsigError::BadSig))
        {
            return Ok(Authenticity::Unsigned);
        }
        let (_, _, valid) = self
            .signer
            .verify_message_byte(octets, Some(mac), true)
            .map_err(|_| "has a signature that is not the key's")?;
        if valid.contains(&now) || error == Some(TsigError::BadTime) {
            Ok(Authenticity::Proven)
        } else {
            Err("was signed too long ago")
        }
    }
}

/// Shows the name only.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use dns01_core::{TxtRecord, Zone};

    use super::super::packet::{Change, update};
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn signed(algorithm: &str) -> (Key, Message, Vec<u8>) {
        let secret = SecretText::from("bm90IGEgcmVhbCBzZWNyZXQsIGp1c3QgYSB0ZXN0");
        let key = Key::new("Test-Key.", algorithm, &secret).unwrap();
        let name = "_acme-challenge.example.org".parse().unwrap();
        let record = TxtRecord { name, value: "value".into(), ttl: 60 };
        let zone = Zone { apex: "example.org".parse().unwrap() };
        let mut message = update(&zone, &[record], Change::Add).unwrap();
        message.metadata.id = 0x1234;
        let mac = key.sign(&mut message, NOW).unwrap();
        (key, message, mac)
    }

    /// The MACs were computed apart from any DNS library, from the octets that RFC 8945 §4.3.3 lists.
    #[test]
    fn macs_are_those_of_rfc_8945() {
        for (algorithm, wanted) in [
            ("hmac-sha256", "e2607d56f8a9db152e21acef888981122305b82813c3ad0c19ea335303ca2211"),
            (
                "hmac-sha384",
                "2055528f48bb24977e46290d3bb7ed5a09aa7ebfbdc4c3575cba06fbbfa4eb00b5fae3580f70b67ae28bf67cb88fbc7f",
            ),
            (
                "hmac-sha512",
                "4cfd1e322d9e6362ea61dcca6b1c59a33466c7831fb4bf80541b0c717f06a9767c2fb51c60c3b2fba25c204f04e5124a686703da7d5e6cc9efde97c6eea981a6",
            ),
        ] {
            let (_, _, mac) = signed(algorithm);
            let mac = mac.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
            assert_eq!(mac, wanted);
        }
    }

    #[test]
    fn an_answer_counts_only_for_its_own_request_and_only_for_a_while() {
        let (key, mut answer, mac) = signed("hmac-sha256");
        // The server signs the request's MAC too; here the "answer" is signed like a request, without one.
        let octets = answer.to_vec().unwrap();
        assert!(key.verify(&answer, &octets, &mac, NOW).is_err());
        let record = answer.take_signature().unwrap();
        let context = hickory_proto::rr::TSigResponseContext::new(
            0x1234,
            NOW,
            key.signer.clone(),
            record.data.mac.clone(),
            None,
        );
        answer.set_signature(context.sign(&answer.to_vec().unwrap()).unwrap());
        let octets = answer.to_vec().unwrap();
        assert_eq!(key.verify(&answer, &octets, &mac, NOW + 299), Ok(Authenticity::Proven));
        assert!(key.verify(&answer, &octets, &mac, NOW + 301).is_err());
        assert!(key.verify(&answer, &octets, b"another MAC", NOW).is_err());
    }

    #[test]
    fn debug_shows_the_name_and_never_the_secret() {
        assert_eq!(format!("{:?}", signed("hmac-sha256").0), "Key(\"test-key\", ..)");
    }
}
