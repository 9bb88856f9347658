//! Keys that people know from cert-manager, certbot or lego and that mean nothing here: why, and what to do instead.

/// Each with the object it would stand in.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "Config",
        "apiVersion",
        "write a plain dns01.yaml, which starts with `version: 1`, not a Kubernetes object",
    ),
    (
        "Config",
        "kind",
        "write a plain dns01.yaml, which starts with `version: 1`, not a Kubernetes object",
    ),
    ("Config", "metadata", "name issuers, solvers and certificates where they stand"),
    ("Config", "spec", "put its contents under `issuers`, `solvers` and `certificates`"),
    (
        "Issuer",
        "solvers",
        "move them to `solvers` at the top of the document; they serve all issuers",
    ),
    ("Issuer", "skipTLSVerify", "give the CA's own root in `caBundle` or `caBundleFile`"),
    (
        "Issuer",
        "disableAccountKeyGeneration",
        "remove it: with `privateKeySecretRef` no account key is ever made",
    ),
    (
        "Issuer",
        "enableDurationFeature",
        "remove it: the CA's `profile` decides how long a certificate lives",
    ),
    ("Issuer", "ca", "use an ACME server: nothing else can issue here"),
    ("Issuer", "selfSigned", "use an ACME server: nothing else can issue here"),
    ("Issuer", "vault", "use an ACME server: nothing else can issue here"),
    ("Issuer", "acme", "write its fields directly under the issuer"),
    ("ExternalAccountBinding", "keyAlgorithm", "remove it: it is always HS256"),
    (
        "ExternalAccountBinding",
        "hmac",
        "put the HMAC key in a Secret (`keySecretRef`) or a file (`keyFile`)",
    ),
    ("Solver", "http01", "prove the names by DNS: name a `provider`; HTTP-01 is not done here"),
    (
        "Solver",
        "tlsalpn01",
        "prove the names by DNS: name a `provider`; TLS-ALPN-01 is not done here",
    ),
    ("Solver", "dns01", "write `provider: NAME` and `credentials` directly in the solver"),
    (
        "Selector",
        "matchLabels",
        "select by `dnsNames` or `dnsZones`: a certificate here has no labels",
    ),
    ("Certificate", "commonName", "put the name into `dnsNames`; CAs ignore the common name"),
    ("Certificate", "isCA", "remove it: an ACME CA issues no CA certificates"),
    ("Certificate", "usages", "remove it: the CA's `profile` decides the usages"),
    ("Certificate", "subject", "remove it: ACME certificates carry names only"),
    ("Certificate", "literalSubject", "remove it: ACME certificates carry names only"),
    ("Certificate", "duration", "choose a `profile`: the CA decides how long a certificate lives"),
    ("Certificate", "ipAddresses", "remove it: an IP address has no DNS-01 challenge"),
    ("Certificate", "uris", "remove it: ACME certificates carry DNS names only"),
    ("Certificate", "emailAddresses", "remove it: ACME certificates carry DNS names only"),
    ("Certificate", "otherNames", "remove it: ACME certificates carry DNS names only"),
    ("Certificate", "nameConstraints", "remove it: an ACME CA issues no CA certificates"),
    ("Certificate", "signatureAlgorithm", "choose the key's algorithm in `privateKey`"),
    ("Certificate", "issuerRef", "write `issuer: NAME`"),
    ("Certificate", "secretTemplate", "put labels and annotations into `sinks`, under `secret`"),
    ("Certificate", "additionalOutputFormats", "put `formats` into `sinks`, under `secret`"),
    ("Certificate", "keystores", "remove it: PKCS #12 and JKS are not made"),
    ("Certificate", "encodeUsagesInRequest", "remove it: the CA's `profile` decides the usages"),
    (
        "Certificate",
        "revisionHistoryLimit",
        "remove it: there is one journal, and no request objects",
    ),
    ("Certificate", "domains", "write `dnsNames`"),
    ("Certificate", "solver", "let the solver's `selector` name what it is for"),
    ("PrivateKeySpec", "encoding", "remove it: keys are always PKCS #8"),
    ("SecretSink", "type", "remove it: it is always `kubernetes.io/tls`"),
];

/// What to do instead of giving `key` in an `object` of the schema, if that is a key we know and don't do.
pub(super) fn refused(object: &str, key: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(at, name, _)| *at == object && *name == key)
        .map(|(_, _, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema;

    #[test]
    fn what_is_refused_is_not_also_known() {
        for (object, key, _) in REFUSED {
            let at = if *object == "Config" { schema() } else { &schema()["$defs"][object] };
            let known = at["properties"].as_object().unwrap_or_else(|| panic!("no {object}"));
            assert!(!known.contains_key(*key), "{object}.{key}");
        }
    }
}
