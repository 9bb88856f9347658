//! Both examples of the documentation, word for word.

use std::path::Path;
use std::time::Duration;

use dns01_core::{KeyType, RenewalRule};

use super::super::{
    CnameStrategy, Config, DirSink, Format, Home, RotationPolicy, SecretSink, Sink,
};
use super::{FULL, MINIMAL, with_certificate, with_issuer};

fn parse(text: &str) -> Config {
    Config::parse(text, "dns01.yaml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_minimal_example_is_enough() {
    let config = parse(MINIMAL);
    let it = config.resolve("example-org").unwrap();
    assert_eq!(it.directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_eq!((it.account, it.profile), ("letsencrypt", None));
    assert!(it.issuer.terms_of_service_agreed);
    assert_eq!((it.key_type, it.rotation), (KeyType::P256, RotationPolicy::Always));
    assert_eq!(it.renewal, RenewalRule::default());
    let names: Vec<_> = it.certificate.dns_names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["example.org", "*.example.org"]);
    let solver = config.solver_for(it.certificate.dns_names[1].domain()).unwrap();
    assert_eq!(solver.provider, "cloudflare");
    assert_eq!(solver.cname_strategy, CnameStrategy::Follow);
    let credentials = solver.credentials.as_ref().unwrap();
    assert_eq!(credentials.secret_name.as_deref(), Some("cloudflare"));
}

#[test]
fn what_names_no_sink_goes_to_the_usual_place() {
    let config = parse(MINIMAL);
    let certificate = config.certificate("example-org").unwrap();
    let secret = SecretSink { name: "example-org-tls".into(), ..SecretSink::default() };
    assert_eq!(certificate.sinks(Home::Kubernetes), [Sink::Secret(secret)]);
    let dir = DirSink { path: "/var/lib/dns01/live/example-org".into(), ..DirSink::default() };
    assert_eq!(certificate.sinks(Home::Host(Path::new("/var/lib/dns01"))), [Sink::Dir(dir)]);
}

#[test]
fn the_full_example_says_what_it_says() {
    let config = parse(FULL);
    let it = config.resolve("shop").unwrap();
    assert_eq!((it.account, it.profile), ("letsencrypt", Some("tlsserver")));
    assert_eq!(it.issuer.email.as_deref(), Some("ops@example.org"));
    assert_eq!(it.issuer.preferred_chain.as_deref(), Some("ISRG Root X1"));
    let adopted = it.issuer.private_key_secret_ref.as_ref().unwrap();
    assert_eq!((adopted.name.as_str(), adopted.key.as_str()), ("le-account", "tls.key"));
    assert_eq!(it.renewal, RenewalRule::Before(Duration::from_hours(720)));
    assert_eq!(it.certificate.deploy_hook, ["systemctl", "reload", "nginx"]);

    let corp = config.issuer("corp").unwrap();
    assert_eq!(corp.directory("corp"), Some("https://ca.corp.example/acme/directory"));
    assert_eq!(corp.ca_bundle_file.as_deref(), Some(Path::new("/etc/dns01/corp-ca.pem")));
    let binding = corp.external_account_binding.as_ref().unwrap();
    assert_eq!((binding.key_id.as_str(), binding.key_secret_ref.is_some()), ("abc", true));

    let solver = config.solver("corp").unwrap();
    assert_eq!(solver.settings["RFC2136_NAMESERVER"], "ns1.corp.example:53");
    assert_eq!(solver.propagation.timeout.unwrap().0, Duration::from_mins(15));
    assert_eq!(solver.propagation.strategy.as_deref(), Some("stable"));
    let keys = &config.solver("public").unwrap().credentials.as_ref().unwrap().keys;
    assert_eq!(keys["CF_DNS_API_TOKEN"], "api-token");
}

#[test]
fn the_full_examples_sinks_are_as_written() {
    let config = parse(FULL);
    let sinks = config.certificate("shop").unwrap().sinks(Home::Kubernetes);
    let [Sink::Secret(secret), Sink::Dir(dir)] = sinks.as_slice() else { panic!("{sinks:?}") };
    assert_eq!((secret.name.as_str(), secret.namespace.as_deref()), ("shop-tls", Some("web")));
    assert_eq!(secret.formats, [Format::CombinedPem]);
    assert_eq!(
        (dir.path.as_path(), dir.group.as_deref()),
        (Path::new("/etc/ssl/shop"), Some("ssl-cert"))
    );
    assert_eq!(dir.key_mode.bits(), 0o640);
    let names = [&dir.files.cert, &dir.files.chain, &dir.files.fullchain, &dir.files.key];
    assert_eq!(names, ["cert.pem", "chain.pem", "shop.crt", "shop.key"]);
}

#[test]
fn a_solver_is_chosen_by_name_then_longest_zone_then_none() {
    let config = parse(
        "version: 1\nissuers: {letsencrypt: {}}\nsolvers:\n\
         - {name: rest, provider: a}\n\
         - {name: short, provider: a, selector: {dnsZones: [example.org]}}\n\
         - {name: long, provider: a, selector: {dnsZones: [net, eu.example.org]}}\n\
         - {name: exact, provider: a, selector: {dnsNames: [\"*.www.eu.example.org\"]}}\n",
    );
    for (domain, solver) in [
        ("www.eu.example.org", "exact"),
        ("a.www.eu.example.org", "long"),
        ("eu.example.org", "long"),
        ("example.net", "long"),
        ("example.org", "short"),
        ("neu.example.org", "short"),
        ("badexample.org", "rest"),
    ] {
        let found = config.solver_for(&domain.parse().unwrap()).unwrap();
        assert_eq!(found.name, solver, "{domain}");
    }
}

#[test]
fn keys_of_a_certificate_fill_up_from_the_defaults() {
    use RotationPolicy::{Always, Never};
    let key = |defaults: &str, own: &str| {
        let text =
            with_certificate(&format!("{{name: a, dnsNames: [a.example], privateKey: {own}}}"));
        let text = format!("{text}defaults: {{privateKey: {defaults}}}\n");
        let config = parse(&text);
        let resolved = config.resolve("a").unwrap();
        (resolved.key_type, resolved.rotation)
    };
    assert_eq!(key("{}", "{}"), (KeyType::P256, Always));
    assert_eq!(key("{algorithm: RSA, size: 4096}", "{}"), (KeyType::Rsa4096, Always));
    assert_eq!(key("{algorithm: RSA, size: 4096}", "{algorithm: RSA}"), (KeyType::Rsa4096, Always));
    assert_eq!(key("{algorithm: RSA, size: 4096}", "{algorithm: ECDSA}"), (KeyType::P256, Always));
    assert_eq!(key("{rotationPolicy: Never}", "{algorithm: RSA}"), (KeyType::Rsa2048, Never));
    assert_eq!(key("{rotationPolicy: Never}", "{rotationPolicy: Always}"), (KeyType::P256, Always));
    assert_eq!(key("{size: 384}", "{}"), (KeyType::P384, Always));
}

#[test]
fn an_unagreed_issuer_is_not_an_error_of_the_document() {
    assert!(!parse(&with_issuer("letsencrypt: {}")).issuers["letsencrypt"].terms_of_service_agreed);
}

#[test]
fn a_bundle_is_pem_or_base64_of_it() {
    let pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    let text = with_issuer(&format!("letsencrypt: {{caBundle: {pem:?}}}"));
    assert_eq!(parse(&text).issuers["letsencrypt"].ca_bundle_pem().as_deref(), Some(pem));
    let base64 = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";
    let text = with_issuer(&format!("letsencrypt: {{caBundle: {base64}}}"));
    assert_eq!(parse(&text).issuers["letsencrypt"].ca_bundle_pem().as_deref(), Some(pem));
}

#[test]
fn names_may_be_international_and_settings_may_be_numbers() {
    let text = with_certificate("{name: a, dnsNames: [bücher.example, \"*.Bücher.example\"]}")
        .replace("provider: cloudflare", "provider: x, settings: {TTL: 120, LOUD: true}");
    let config = parse(&text);
    assert_eq!(config.solvers[0].settings["TTL"], "120");
    assert_eq!(config.solvers[0].settings["LOUD"], "true");
    let names = &config.certificates[0].dns_names;
    assert_eq!(names[1].to_string(), "*.xn--bcher-kva.example");
}
