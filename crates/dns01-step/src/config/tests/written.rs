//! Documents that we write, and files that we find.

use std::fs;

use dns01_core::{Exit, Explain as _, KeyType};

use super::super::load::first;
use super::super::{Certificate, Config, Credentials, Issuer, Solver, documents, find};
use super::{FULL, MINIMAL};

#[test]
fn what_is_written_is_read_as_the_same() {
    for text in [MINIMAL, FULL] {
        let config = Config::parse(text, "dns01.yaml").unwrap();
        let written = config.to_yaml().unwrap();
        assert_eq!(Config::parse(&written, "dns01.yaml").unwrap(), config, "{written}");
    }
}

#[test]
fn a_single_certificate_is_written_in_a_fixed_small_layout() {
    let config = Config {
        issuers: [(
            "letsencrypt".to_owned(),
            Issuer { terms_of_service_agreed: true, ..Issuer::default() },
        )]
        .into(),
        solvers: vec![Solver {
            name: "cloudflare".into(),
            provider: "cloudflare".into(),
            credentials: Some(Credentials {
                env_file: Some("/etc/dns01/cloudflare.env".into()),
                ..Credentials::default()
            }),
            ..Solver::default()
        }],
        certificates: vec![Certificate {
            name: "example-org".into(),
            dns_names: vec!["example.org".parse().unwrap(), "*.example.org".parse().unwrap()],
            private_key: KeyType::P384.into(),
            ..Certificate::default()
        }],
        ..Config::default()
    };
    let written = config.to_yaml().unwrap();
    assert_eq!(
        written,
        "version: 1
issuers:
  letsencrypt:
    termsOfServiceAgreed: true
solvers:
- name: cloudflare
  provider: cloudflare
  credentials:
    envFile: /etc/dns01/cloudflare.env
certificates:
- name: example-org
  dnsNames:
  - example.org
  - '*.example.org'
  privateKey:
    algorithm: ECDSA
    size: 384
"
    );
    let read = Config::parse(&written, "").unwrap();
    assert_eq!(read, config);
    assert_eq!(read.resolve("example-org").unwrap().key_type, KeyType::P384);
}

#[test]
fn a_mounted_config_map_is_its_files_without_what_kubernetes_hides() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("..2026_11_21")).unwrap();
    fs::write(at("..2026_11_21/b.yaml"), MINIMAL).unwrap();
    std::os::unix::fs::symlink("..2026_11_21", at("..data")).unwrap();
    std::os::unix::fs::symlink("..data/b.yaml", at("b.yaml")).unwrap();
    fs::write(at("a.yml"), MINIMAL).unwrap();
    fs::write(at(".hidden.yaml"), MINIMAL).unwrap();
    fs::write(at("README.md"), "no").unwrap();
    assert_eq!(documents(folder.path()).unwrap(), [at("a.yml"), at("b.yaml")]);
    assert_eq!(documents(&at("b.yaml")).unwrap(), [at("b.yaml")]);
    assert_eq!(Config::load(&at("b.yaml")).unwrap().certificates.len(), 1);
}

#[test]
fn the_flag_goes_before_the_variable_before_here_before_etc() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let usual = || [at("here.yaml"), at("etc.yaml")];
    assert_eq!(first(None, None, usual()), None);
    fs::write(at("etc.yaml"), MINIMAL).unwrap();
    assert_eq!(first(None, Some("".into()), usual()), Some(at("etc.yaml")));
    fs::write(at("here.yaml"), MINIMAL).unwrap();
    assert_eq!(first(None, None, usual()), Some(at("here.yaml")));
    assert_eq!(first(None, Some("/v".into()), usual()), Some("/v".into()));
    let flag = at("flag.yaml");
    assert_eq!(first(Some(&flag), Some("/v".into()), usual()), Some(flag.clone()));
}

#[test]
fn a_file_that_was_named_and_is_missing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.yaml");
    assert_eq!(find(Some(&file)), Some(file.clone()));
    let error = Config::load(&file).unwrap_err();
    assert_eq!(error.exit(), Exit::Config);
    assert!(error.hint().unwrap().contains("--config"));
    assert_eq!(documents(&file).unwrap_err().exit(), Exit::Config);
    fs::write(&file, [0xff, 0xfe]).unwrap();
    let error = Config::load(&file).unwrap_err();
    assert_eq!((error.exit(), error.hint().as_deref()), (Exit::Config, Some("save it as UTF-8")));
}
