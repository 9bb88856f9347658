//! What applies to a certificate: its issuer, key, renewal, sinks, and the solver of each name.

use std::path::Path;

use dns01_core::{DomainName, KeyType, OwnerName, RenewalRule};

use super::error::ConfigError;
use super::shape::nearest;
use super::{
    Algorithm, Certificate, Config, DirSink, Issuer, PrivateKeySpec, RotationPolicy, SecretSink,
    Sink, Solver, directory_url,
};

/// Where certificates go that name no sink.
#[derive(Clone, Copy, Debug)]
pub enum Home<'a> {
    /// Into the Secret `<name>-tls` of the pod's namespace.
    Kubernetes,
    /// Into the folder `live/<name>` below this one.
    Host(&'a Path),
}

/// A certificate with everything that applies to it.
#[derive(Clone, Debug)]
pub struct Resolved<'a> {
    /// The definition itself.
    pub certificate: &'a Certificate,
    /// The issuer's name, which is also the account's.
    pub account: &'a str,
    /// The issuer.
    pub issuer: &'a Issuer,
    /// The URL of the CA's directory.
    pub directory: &'a str,
    /// The CA's profile to ask for.
    pub profile: Option<&'a str>,
    /// The kind of key to make.
    pub key_type: KeyType,
    /// Whether a renewal makes a new key.
    pub rotation: RotationPolicy,
    /// When it is due.
    pub renewal: RenewalRule,
}

impl Config {
    /// The certificate of this name.
    pub fn certificate(&self, name: &str) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| certificate.name == name)
    }

    /// The issuer of this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.get(name)
    }

    /// The certificate of this name with all that applies to it.
    ///
    /// # Errors
    /// [`ConfigError::NoCertificate`] where none is defined.
    pub fn resolve(&self, name: &str) -> Result<Resolved<'_>, ConfigError> {
        let certificate = self.certificate(name).and_then(|found| self.resolved(found));
        certificate.ok_or_else(|| ConfigError::NoCertificate {
            name: name.to_owned(),
            origin: self.origin.clone(),
            nearest: nearest(name, self.certificates.iter().map(|known| known.name.as_str()))
                .map(str::to_owned),
        })
    }

    /// `None` where the definition makes no sense; a document that was parsed has none such.
    pub(super) fn resolved<'a>(&'a self, certificate: &'a Certificate) -> Option<Resolved<'a>> {
        let (account, issuer) = self.issuer_of(certificate)?;
        let key = &certificate.private_key;
        Some(Resolved {
            certificate,
            account,
            issuer,
            directory: issuer.directory(account)?,
            profile: certificate.profile.as_deref().or(issuer.profile.as_deref()),
            key_type: key.over(&self.defaults.private_key)?,
            rotation: key
                .rotation_policy
                .or(self.defaults.private_key.rotation_policy)
                .unwrap_or_default(),
            renewal: certificate.renewal(),
        })
    }

    /// The issuer that the certificate names, else that of `defaults`, else the only one.
    pub(super) fn issuer_of(&self, certificate: &Certificate) -> Option<(&str, &Issuer)> {
        let named = certificate.issuer.as_ref().or(self.defaults.issuer.as_ref());
        let (name, issuer) = match named {
            Some(name) => self.issuers.get_key_value(name)?,
            None if self.issuers.len() == 1 => self.issuers.first_key_value()?,
            None => return None,
        };
        Some((name, issuer))
    }

    /// The solver of this name.
    pub fn solver(&self, name: &str) -> Option<&Solver> {
        self.solvers.iter().find(|solver| solver.name == name)
    }

    /// Who proves `domain`: the solver that lists it, else the one with the longest zone above it, else the one
    /// without selector.
    pub fn solver_for(&self, domain: &DomainName) -> Option<&Solver> {
        let owner = OwnerName::from(domain.clone());
        let lists =
            |solver: &&Solver| solver.selector.dns_names.iter().any(|name| name.domain() == domain);
        let longest_zone = |solver: &Solver| {
            let above = solver.selector.dns_zones.iter().filter(|zone| owner.is_within(zone));
            above.map(|zone| zone.labels().count()).max()
        };
        let by_zone = || {
            let matching =
                self.solvers.iter().filter_map(|solver| Some((longest_zone(solver)?, solver)));
            matching.max_by_key(|(labels, _)| *labels).map(|(_, solver)| solver)
        };
        self.solvers
            .iter()
            .find(lists)
            .or_else(by_zone)
            .or_else(|| self.solvers.iter().find(|solver| solver.selector.is_empty()))
    }
}

impl Issuer {
    /// The URL of the CA's directory, for the issuer of this name.
    pub fn directory<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        directory_url(self.server.as_deref().unwrap_or(name))
    }
}

impl Certificate {
    /// Everywhere it is delivered to.
    pub fn sinks(&self, home: Home<'_>) -> Vec<Sink> {
        let secret = |name| Sink::Secret(SecretSink { name, ..SecretSink::default() });
        if let Some(name) = &self.secret_name {
            return vec![secret(name.clone())];
        }
        if !self.sinks.is_empty() {
            return self.sinks.clone();
        }
        vec![match home {
            Home::Kubernetes => secret(format!("{}-tls", self.name)),
            Home::Host(root) => Sink::Dir(DirSink {
                path: root.join("live").join(&self.name),
                ..DirSink::default()
            }),
        }]
    }

    fn renewal(&self) -> RenewalRule {
        match (self.renew_before, self.renew_before_percentage) {
            (Some(left), _) => RenewalRule::Before(left.0),
            (None, Some(percent)) => RenewalRule::FractionLeft(f64::from(percent) / 100.0),
            (None, None) => RenewalRule::default(),
        }
    }
}

impl PrivateKeySpec {
    /// The kind of key that this asks for, where `defaults` fills what is absent; `None` if no such kind exists.
    pub(super) fn over(&self, defaults: &Self) -> Option<KeyType> {
        let usual = defaults.algorithm.unwrap_or_default();
        let algorithm = self.algorithm.unwrap_or(usual);
        // A default size is of the default algorithm, and means nothing to another one.
        let size = self.size.or(defaults.size.filter(|_| algorithm == usual));
        match (algorithm, size) {
            (Algorithm::Ecdsa, None | Some(256)) => Some(KeyType::P256),
            (Algorithm::Ecdsa, Some(384)) => Some(KeyType::P384),
            (Algorithm::Rsa, None | Some(2048)) => Some(KeyType::Rsa2048),
            (Algorithm::Rsa, Some(3072)) => Some(KeyType::Rsa3072),
            (Algorithm::Rsa, Some(4096)) => Some(KeyType::Rsa4096),
            _ => None,
        }
    }
}

impl From<KeyType> for PrivateKeySpec {
    fn from(kind: KeyType) -> Self {
        let (algorithm, size) = match kind {
            KeyType::P256 => (Algorithm::Ecdsa, 256),
            KeyType::P384 => (Algorithm::Ecdsa, 384),
            KeyType::Rsa2048 => (Algorithm::Rsa, 2048),
            KeyType::Rsa3072 => (Algorithm::Rsa, 3072),
            KeyType::Rsa4096 => (Algorithm::Rsa, 4096),
        };
        Self { algorithm: Some(algorithm), size: Some(size), rotation_policy: None }
    }
}
