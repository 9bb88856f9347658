//! Documents of the right shape that make no sense.

use super::super::{Config, ConfigError, check_together};
use super::{FULL, MINIMAL, said, with_certificate, with_issuer, with_solver};

#[test]
fn everything_senseless_is_said_at_once() {
    let text = "version: 1
issuers:
  le: {termsOfServiceAgreed: true}
  Corp_CA: {server: \"http://ca.example/dir\", caBundle: zzz}
solvers:
- {name: a, provider: x, selector: {dnsZones: [example.org]}, credentials: {secretName: a, envFile: /a}}
- {name: a, provider: x, selector: {dnsZones: [example.org]}, credentials: {envFile: /b, keys: {A: b}}}
defaults: {issuer: letsencrypt, privateKey: {algorithm: RSA, size: 1024}}
certificates:
- {name: A, dnsNames: [a.example.org, A.example.org, example.net], issuer: lee, privateKey: {algorithm: ECDSA, size: 521}}
- {name: b, dnsNames: [b.example.org], renewBefore: 1h, renewBeforePercentage: 30, secretName: x, sinks: [{secret: {name: y}}]}
";
    assert_eq!(
        said(text),
        [
            "3:7: issuer `le` has no `server`; give the URL of the CA's directory, or a short name such as `letsencrypt`",
            "4:12: `Corp_CA` is no name; use lower-case letters, digits and inner hyphens, at most 50 (DNS-1123 label)",
            "4:21: `http://ca.example/dir` is neither an https URL nor a CA's short name; give an `https://` URL, or a short name such as `letsencrypt`",
            "4:56: `caBundle` of issuer `Corp_CA` is neither PEM nor base64 of PEM",
            "6:76: `credentials` of solver `a` has not exactly one of `secretName`, `envFile` and `directory`",
            "7:10: two solvers are called `a`",
            "7:96: `keys` of solver `a` has no `secretName` to look in",
            "8:20: there is no issuer `letsencrypt`",
            "8:68: there is no private key of this size; ECDSA has 256 and 384, RSA 2048, 3072 and 4096",
            "10:10: `A` is no name; use lower-case letters, digits and inner hyphens, at most 50 (DNS-1123 label)",
            "10:39: `a.example.org` is twice in certificate `A`",
            "10:54: no solver is for `example.net`; add its zone to a solver's `selector`, or a solver without selector",
            "10:76: there is no issuer `lee`; write `le`",
            "10:118: there is no private key of this size; ECDSA has 256 and 384, RSA 2048, 3072 and 4096",
            "11:53: certificate `b` has both `renewBefore` and `renewBeforePercentage`; remove one of them",
            "11:96: certificate `b` has both `secretName` and `sinks`; put the Secret into `sinks`: `- secret: {name: NAME}`",
        ]
    );
}

#[test]
fn two_solvers_for_the_same_are_refused() {
    let text = "version: 1
solvers:
- {name: a, provider: x}
- {name: b, provider: y}
- {name: c, provider: x, selector: {dnsZones: [example.org], dnsNames: [a.example]}}
- {name: d, provider: x, selector: {dnsZones: [b.example, example.org.], dnsNames: [\"*.a.example\"]}}
";
    assert_eq!(
        said(text),
        [
            "4:3: solvers `a` and `b` are both for all names that no other is for",
            "6:59: solvers `c` and `d` are both for the zone `example.org`",
            "6:85: solvers `c` and `d` are both for the name `a.example`",
        ]
    );
}

#[test]
fn certificates_that_are_the_same_or_share_a_sink_are_refused() {
    let text = MINIMAL.to_owned()
        + "- {name: example-org, dnsNames: [a.example]}
- {name: other, dnsNames: [\"*.example.org\", Example.org]}
- {name: third, dnsNames: [example.org, \"*.example.org\"], profile: shortlived}
- {name: fourth, dnsNames: [b.example], secretName: third-tls}
- {name: fifth, dnsNames: [c.example], sinks: [{dir: {path: /a}}]}
- {name: sixth, dnsNames: [d.example], sinks: [{dir: {path: /a}}, {secret: {name: x, namespace: n}}]}
";
    assert_eq!(
        said(&text),
        [
            "7:10: a delivery to Secret `example-org-tls` is defined twice",
            "7:10: certificate `example-org` is defined twice",
            "8:10: a certificate with these names (`example.org`, `*.example.org`) from `letsencrypt` is defined twice; remove it from `example-org` or from `other`",
            "10:10: a delivery to Secret `third-tls` is defined twice; remove it from `third` or from `fourth`",
            "12:10: a delivery to `/a` is defined twice; remove it from `fifth` or from `sixth`",
        ]
    );
}

#[test]
fn two_documents_are_checked_beside_each_other() {
    let first = Config::parse(MINIMAL, "a.yaml").unwrap();
    let second = Config::parse(FULL, "b.yaml").unwrap();
    check_together([&first, &second]).unwrap();
    let third = Config::parse(&MINIMAL.replace("name: example-org", "name: x"), "c.yaml").unwrap();
    let error = check_together([&first, &second, &third]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a certificate with these names (`example.org`, `*.example.org`) from `letsencrypt` is defined in a.yaml and again in c.yaml"
    );
}

#[test]
fn an_issuer_must_be_named_where_there_are_several_or_none() {
    for issuers in ["letsencrypt: {}, zerossl: {}", ""] {
        assert_eq!(
            said(&with_issuer(issuers)),
            [
                "6:3: certificate `example-org` has no `issuer`; name one of `issuers`, here or in `defaults`"
            ]
        );
    }
}

#[test]
fn an_account_binding_has_one_key() {
    let text = with_issuer("letsencrypt: {externalAccountBinding: {keyID: a}}");
    assert_eq!(
        said(&text),
        [
            "2:49: `externalAccountBinding` of issuer `letsencrypt` has not exactly one of `keySecretRef` and `keyFile`"
        ]
    );
    let text = with_issuer("letsencrypt: {externalAccountBinding: {keyID: a, keyFile: /eab}}");
    assert!(Config::parse(&text, "dns01.yaml").is_ok());
}

#[test]
fn names_that_kubernetes_cannot_have_are_refused() {
    assert_eq!(
        said(&with_certificate(
            "{name: a, dnsNames: [a.example], sinks: [{secret: {name: A_b, namespace: n.s}}]}"
        )),
        [
            "6:60: `A_b` is no name of a Secret; use lower-case letters, digits, inner hyphens and dots (DNS-1123 subdomain)",
            "6:76: `n.s` is no namespace",
        ]
    );
    let long = "a".repeat(51);
    assert_eq!(
        said(&with_certificate(&format!("{{name: {long}, dnsNames: [a.example]}}"))).len(),
        1
    );
    assert_eq!(said(&with_issuer("../x: {server: zerossl}")).len(), 1);
    assert_eq!(said(&with_solver("{name: \"a.b\", provider: x}")).len(), 1);
}

#[test]
fn files_of_a_folder_have_plain_names_of_their_own() {
    let text = with_certificate(
        "{name: a, dnsNames: [a.example], sinks: [{dir: {path: a, files: {key: ../k, cert: chain.pem, fullchain: \"\"}}}]}",
    );
    assert_eq!(
        said(&text),
        [
            "6:57: `a` is no absolute path",
            "6:67: `chain.pem` is taken by another file",
            "6:73: `../k` is no plain file name",
            "6:107: `` is no plain file name",
        ]
    );
}

#[test]
fn an_unknown_certificate_is_named_with_the_nearest() {
    use dns01_core::Explain as _;
    let config = Config::parse(FULL, "dns01.yaml").unwrap();
    let error = config.resolve("shpo").unwrap_err();
    assert!(matches!(error, ConfigError::NoCertificate { .. }));
    assert_eq!(error.to_string(), "no certificate `shpo` is defined in dns01.yaml");
    assert_eq!(error.hint().as_deref(), Some("did you mean `shop`?"));
}
