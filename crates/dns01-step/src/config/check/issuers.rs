//! Issuers that no account can be had from.

use super::super::Config;
use super::super::issuer::Issuer;
use super::super::report::Report;
use super::super::shape::nearest;
use super::super::tree::Seg::{self, Key};
use super::names::{our_name, secret_name};

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    for (name, issuer) in &config.issuers {
        let at = |key| [Key("issuers"), Key(name), Key(key)];
        our_name(name, &[Key("issuers"), Key(name)], report);
        if issuer.directory(name).is_none() {
            server(name, issuer, &at("server"), report);
        }
        if issuer.ca_bundle.is_some() && issuer.ca_bundle_file.is_some() {
            let said = format!("issuer `{name}` has both `caBundle` and `caBundleFile`");
            report.at(&at("caBundleFile"), said, "remove one of them".to_owned());
        }
        if issuer.ca_bundle.is_some() && issuer.ca_bundle_pem().is_none() {
            let said = format!("`caBundle` of issuer `{name}` is neither PEM nor base64 of PEM");
            report.at(&at("caBundle"), said, None);
        }
        if let Some(key) = &issuer.private_key_secret_ref {
            let path = [Key("issuers"), Key(name), Key("privateKeySecretRef"), Key("name")];
            secret_name(&key.name, &path, report);
        }
        if let Some(binding) = &issuer.external_account_binding {
            let path = at("externalAccountBinding");
            match (&binding.key_secret_ref, &binding.key_file) {
                (Some(key), None) => {
                    let below = [Key("keySecretRef"), Key("name")];
                    secret_name(&key.name, &[&path[..], &below].concat(), report);
                }
                (None, Some(_)) => {}
                _ => {
                    let said = format!(
                        "`externalAccountBinding` of issuer `{name}` has not exactly one of \
                         `keySecretRef` and `keyFile`"
                    );
                    report.at(&path, said, None);
                }
            }
        }
    }
}

fn server(name: &str, issuer: &Issuer, path: &[Seg<'_>], report: &mut Report<'_>) {
    let Some(server) = &issuer.server else {
        let said = format!("issuer `{name}` has no `server`");
        let hint = "give the URL of the CA's directory, or a short name such as `letsencrypt`";
        report.at(path, said, hint.to_owned());
        return;
    };
    let hint = match nearest(server, dns01_core::ca_names()) {
        Some(known) => format!("write `{known}`"),
        None => "give an `https://` URL, or a short name such as `letsencrypt`".to_owned(),
    };
    report.at(path, format!("`{server}` is neither an https URL nor a CA's short name"), hint);
}
