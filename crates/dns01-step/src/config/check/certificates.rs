//! Certificates that cannot be issued, renewed or delivered as they are defined.

use std::collections::HashSet;

use super::super::certificate::{Certificate, PrivateKeySpec};
use super::super::report::Report;
use super::super::shape::nearest;
use super::super::sink::{DirFiles, DirSink, SecretSink, Sink};
use super::super::tree::Seg::{self, Index, Key};
use super::super::{Config, DirLayout};
use super::names::{namespace, our_name, secret_name};

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    if let Some(name) = &config.defaults.issuer {
        known_issuer(config, name, &[Key("defaults"), Key("issuer")], report);
    }
    let usual = PrivateKeySpec::default();
    key(&config.defaults.private_key, &usual, &[Key("defaults"), Key("privateKey")], report);
    for (position, certificate) in config.certificates.iter().enumerate() {
        let at = |key| [Key("certificates"), Index(position), Key(key)];
        our_name(&certificate.name, &at("name"), report);
        match &certificate.issuer {
            Some(name) => known_issuer(config, name, &at("issuer"), report),
            None if config.defaults.issuer.is_none() && config.issuers.len() != 1 => {
                let said = format!("certificate `{}` has no `issuer`", certificate.name);
                let hint = "name one of `issuers`, here or in `defaults`".to_owned();
                report.at(&at("issuer"), said, hint);
            }
            None => {}
        }
        names(config, certificate, &at("dnsNames"), report);
        if !certificate.private_key.is_empty() {
            key(&certificate.private_key, &config.defaults.private_key, &at("privateKey"), report);
        }
        renewal(certificate, &at("renewBefore"), report);
        if let Some(name) = &certificate.secret_name {
            secret_name(name, &at("secretName"), report);
            if !certificate.sinks.is_empty() {
                let said =
                    format!("certificate `{}` has both `secretName` and `sinks`", certificate.name);
                let hint = "put the Secret into `sinks`: `- secret: {name: NAME}`".to_owned();
                report.at(&at("secretName"), said, hint);
            }
        }
        for (index, sink) in certificate.sinks.iter().enumerate() {
            let path = [Key("certificates"), Index(position), Key("sinks"), Index(index)];
            match sink {
                Sink::Secret(it) => secret(it, &[&path[..], &[Key("secret")]].concat(), report),
                Sink::Dir(it) => dir(it, &[&path[..], &[Key("dir")]].concat(), report),
            }
        }
    }
}

fn known_issuer(config: &Config, name: &str, path: &[Seg<'_>], report: &mut Report<'_>) {
    if config.issuer(name).is_none() {
        let near = nearest(name, config.issuers.keys().map(String::as_str));
        let hint = near.map(|near| format!("write `{near}`"));
        report.at(path, format!("there is no issuer `{name}`"), hint);
    }
}

fn names(config: &Config, certificate: &Certificate, path: &[Seg<'_>], report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for (index, name) in certificate.dns_names.iter().enumerate() {
        let place = [path, &[Index(index)]].concat();
        if !seen.insert(name) {
            let said = format!("`{name}` is twice in certificate `{}`", certificate.name);
            report.at(&place, said, None);
        } else if config.solver_for(name.domain()).is_none() {
            let hint = "add its zone to a solver's `selector`, or a solver without selector";
            report.at(&place, format!("no solver is for `{name}`"), hint.to_owned());
        }
    }
}

fn key(key: &PrivateKeySpec, defaults: &PrivateKeySpec, path: &[Seg<'_>], report: &mut Report<'_>) {
    if key.over(defaults).is_none() {
        let said = "there is no private key of this size".to_owned();
        let hint = "ECDSA has 256 and 384, RSA 2048, 3072 and 4096".to_owned();
        report.at(&[path, &[Key("size")]].concat(), said, hint);
    }
}

fn renewal(certificate: &Certificate, path: &[Seg<'_>], report: &mut Report<'_>) {
    let name = &certificate.name;
    match (certificate.renew_before, certificate.renew_before_percentage) {
        (Some(_), Some(_)) => {
            let said =
                format!("certificate `{name}` has both `renewBefore` and `renewBeforePercentage`");
            report.at(path, said, "remove one of them".to_owned());
        }
        (Some(left), None) if left.0.is_zero() => {
            let said = format!("`renewBefore` of certificate `{name}` leaves no time");
            report.at(path, said, "remove it, or write a duration such as `720h`".to_owned());
        }
        _ => {}
    }
}

fn secret(sink: &SecretSink, path: &[Seg<'_>], report: &mut Report<'_>) {
    let at = |key| [path, &[Key(key)]].concat();
    secret_name(&sink.name, &at("name"), report);
    if let Some(name) = &sink.namespace {
        namespace(name, &at("namespace"), report);
    }
    for (what, map) in [("labels", &sink.labels), ("annotations", &sink.annotations)] {
        for key in map.keys().filter(|key| key.contains("cert-manager.io/")) {
            let said = format!("`{key}` is cert-manager's to write");
            report.at(&[&at(what)[..], &[Key(key)]].concat(), said, "remove it".to_owned());
        }
    }
}

fn dir(sink: &DirSink, path: &[Seg<'_>], report: &mut Report<'_>) {
    let at = |key| [path, &[Key(key)]].concat();
    if !sink.path.is_absolute() {
        let said = format!("`{}` is no absolute path", sink.path.display());
        report.at(&at("path"), said, None);
    }
    let files = &sink.files;
    let all = [
        ("cert", &files.cert),
        ("chain", &files.chain),
        ("fullchain", &files.fullchain),
        ("key", &files.key),
        ("combined", &files.combined),
    ];
    for (position, (role, file)) in all.into_iter().enumerate() {
        let is_plain = !file.is_empty() && !file.starts_with('.') && !file.contains(['/', '\0']);
        let is_taken = all[..position].iter().any(|(_, other)| *other == file);
        if !is_plain || is_taken {
            let why = if is_taken { "taken by another file" } else { "no plain file name" };
            let said = format!("`{file}` is {why}");
            report.at(&[&at("files")[..], &[Key(role)]].concat(), said, None);
        }
    }
    if sink.layout == DirLayout::Certbot && *files != DirFiles::default() {
        let said = "certbot's layout has names of its own".to_owned();
        report.at(&at("files"), said, "remove `files`, or `layout`".to_owned());
    }
}
