//! The definitions a step works from: every `dns01.yaml` that `--config` names.

use std::path::Path;

use dns01_core::{Exit, Identifier, KeyType, RenewalRule, provider_name};

use crate::config::{self, Certificate, Config, Resolved, RotationPolicy};
use crate::{Attempt, Failure};

/// One or more configuration documents; a certificate is defined in exactly one of them.
#[derive(Clone, Debug, Default)]
pub struct Definitions(Vec<Config>);

impl Definitions {
    /// Reads the files and folders named, or else the one found in the usual places; none at all is fine.
    ///
    /// `configmap:NAME` is not read here: the step that may read it adds it with [`Definitions::add`].
    pub fn load(places: &[String]) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for place in places.iter().filter(|place| !place.starts_with("configmap:")) {
            let found = config::documents(Path::new(place));
            files.extend(found.attempt(|| format!("find the configuration `{place}`"))?);
        }
        if places.is_empty() {
            files.extend(config::find(None));
        }
        let mut all = Self::default();
        for file in files {
            all.add_file(&file)?;
        }
        Ok(all)
    }

    /// Reads and adds a document.
    pub fn add_file(&mut self, file: &Path) -> Result<(), Failure> {
        self.add(
            Config::load(file)
                .attempt(|| format!("read the configuration `{}`", file.display()))?,
        )
    }

    /// Adds a document; exit 11 if it defines a certificate that another one has.
    pub fn add(&mut self, document: Config) -> Result<(), Failure> {
        for certificate in &document.certificates {
            if let Some((other, _)) = self.certificate(&certificate.name) {
                let both = format!("`{}` and `{}`", other.origin, document.origin);
                return Err(Failure::new(
                    Exit::Config,
                    format!("certificate `{}` is defined in {both}", certificate.name),
                )
                .hint("keep one of the two definitions"));
            }
        }
        self.0.push(document);
        config::check_together(&self.0).attempt(|| "use these definitions together".into())
    }

    /// The documents.
    pub fn documents(&self) -> &[Config] {
        &self.0
    }

    /// The certificate of this name and the document that defines it.
    pub fn certificate(&self, name: &str) -> Option<(&Config, &Certificate)> {
        self.0.iter().find_map(|document| Some((document, document.certificate(name)?)))
    }

    /// The document that speaks for `certificate`: the one that defines it, else the first.
    pub fn document_for(&self, certificate: Option<&str>) -> Option<&Config> {
        certificate
            .and_then(|name| self.certificate(name))
            .map(|(document, _)| document)
            .or(self.0.first())
    }

    /// The names of the certificate: those given, else those of its definition; exit 11 if there are none.
    pub fn names(&self, name: &str, given: Vec<Identifier>) -> Result<Vec<Identifier>, Failure> {
        let defined =
            || self.certificate(name).map(|(_, certificate)| certificate.dns_names.clone());
        let names = if given.is_empty() { defined().unwrap_or_default() } else { given };
        if names.is_empty() {
            let what = format!("nothing says which names certificate `{name}` is for");
            return Err(Failure::new(Exit::Config, what)
                .hint("give --domain, or define the certificate in the configuration (--config)"));
        }
        Ok(names)
    }

    /// Refuses (11) a provider that nothing is called, among those that would write for `names` of the certificate
    /// `name`. Other solvers of the document are none of this certificate's business.
    pub fn check_providers(&self, name: &str, names: &[Identifier]) -> Result<(), Failure> {
        let Some(document) = self.document_for(Some(name)) else { return Ok(()) };
        for solver in names.iter().filter_map(|name| document.solver_for(name.domain())) {
            provider_name(&solver.provider)
                .attempt(|| format!("use the solver `{}` in `{}`", solver.name, document.origin))?;
        }
        Ok(())
    }

    /// The kind of key that the definition asks for.
    pub fn key_type(&self, name: &str) -> Option<KeyType> {
        self.resolved(name).map(|resolved| resolved.key_type)
    }

    /// Whether a renewal keeps the old key (`rotationPolicy: Never`).
    pub fn keeps_key(&self, name: &str) -> bool {
        self.resolved(name).is_some_and(|resolved| resolved.rotation == RotationPolicy::Never)
    }

    /// When the certificate is renewed.
    pub fn renewal_rule(&self, name: &str) -> RenewalRule {
        self.resolved(name).map_or_else(RenewalRule::default, |resolved| resolved.renewal)
    }

    fn resolved(&self, name: &str) -> Option<Resolved<'_>> {
        self.certificate(name).and_then(|(document, _)| document.resolve(name).ok())
    }
}
