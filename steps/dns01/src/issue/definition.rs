//! From flags to a definition, the same document that `dns01.yaml` holds: kept so that `dns01 renew` can repeat it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use dns01_core::{Exit, Identifier, Origin, Source as _};
use dns01_step::config::{
    Certificate, Config, Credentials, DirSink, ExternalAccountBinding, Issuer, Propagation,
    SecretSink, Sink, Solver,
};
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, Failure, ProcessSource, StepIo, certificate_name,
};
use order::OwnCsr;

use super::{IssueCommand, words};
use crate::renew::known;

/// What is to be issued.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) definitions: Definitions,
    /// Whether the definition was made from flags, and so is ours to keep.
    pub(super) is_ours: bool,
    /// Settings that the environment had and that no file keeps.
    forgotten: Vec<String>,
}

/// The definition that `--certificate` names in the configuration, else one made from the flags.
pub(super) fn wanted(
    command: &IssueCommand,
    given: &Definitions,
    csr: Option<&OwnCsr>,
    io: &StepIo,
) -> Result<Wanted, Failure> {
    let names = match csr {
        Some(csr) => csr.names.clone(),
        None => paired(command.domains.read()?, command.combo),
    };
    let named = io.common().certificate.clone();
    if let (true, Some(name)) =
        (names.is_empty(), named.as_ref().filter(|name| given.certificate(name).is_some()))
    {
        let (name, definitions) = (name.clone(), given.clone());
        return Ok(Wanted { name, definitions, is_ours: false, forgotten: Vec::new() });
    }
    let Some(first) = names.first() else {
        return Err(nothing_to_issue(command, named.as_deref(), given));
    };
    let name = named.unwrap_or_else(|| certificate_name(first));
    name.parse::<dns01_store::Name>().attempt(|| format!("call a certificate `{name}`"))?;
    let (document, forgotten) = document(command, given, &name, names)?;
    let mut definitions = Definitions::default();
    // Read back as a file would be, so that a name or sink that no file may have is refused now.
    let text = document.to_yaml().attempt(|| "write the definition".into())?;
    definitions.add(Config::parse(&text, "these flags").attempt(|| "use these flags".into())?)?;
    Ok(Wanted { name, definitions, is_ours: true, forgotten })
}

fn nothing_to_issue(command: &IssueCommand, named: Option<&str>, given: &Definitions) -> Failure {
    let Some(name) = named else {
        return Failure::new(Exit::Config, "nothing says what to issue")
            .hint("give --domain NAME, or --name NAME of a certificate in the configuration");
    };
    let what = format!("no configuration defines a certificate `{name}`");
    let failure = Failure::new(Exit::Config, what);
    if file(&command.journal.root(), name).exists() {
        return failure.hint(format!(
            "an earlier call got it: `dns01 renew {name}` renews it, --domain defines it anew"
        ));
    }
    let certificates = given.documents().iter().flat_map(|document| &document.certificates);
    let defined: Vec<&str> = certificates.map(|certificate| certificate.name.as_str()).collect();
    if defined.is_empty() {
        return failure.hint("give --config FILE that defines it, or --domain NAME");
    }
    failure.hint(format!("these are defined: {}", defined.join(", ")))
}

fn paired(names: Vec<Identifier>, combo: bool) -> Vec<Identifier> {
    let mut all: Vec<Identifier> = Vec::new();
    for name in names {
        let other = combo.then(|| name.counterpart());
        for one in [Some(name), other].into_iter().flatten() {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

fn document(
    command: &IssueCommand,
    given: &Definitions,
    name: &str,
    names: Vec<Identifier>,
) -> Result<(Config, Vec<String>), Failure> {
    let chosen = ChosenIssuer::new(&command.issuer, None)?;
    let (directory, _) =
        dns01_acme::directory_url(&chosen.server).attempt(|| "find the CA".into())?;
    let kid = chosen.external_account.as_ref().map(|(kid, _)| kid.clone());
    let account = dns01_store::account::id(None, &directory, kid.as_deref())
        .attempt(|| "name the account".into())?;
    let key_file = command.issuer.eab_hmac_key_file.as_deref().map(absolute);
    let issuer = Issuer {
        server: Some(directory),
        terms_of_service_agreed: chosen.agreed,
        email: chosen.email,
        profile: chosen.profile,
        preferred_chain: command.preferred_chain.clone(),
        ca_bundle_file: command.issuer.reach.ca_bundle.as_deref().map(absolute),
        external_account_binding: kid.map(|key_id| ExternalAccountBinding {
            key_id,
            key_secret_ref: None,
            key_file,
        }),
        ..Issuer::default()
    };
    let (solvers, forgotten) = solvers(command, given)?;
    let certificate = Certificate {
        name: name.to_owned(),
        dns_names: names,
        private_key: command.key_type.map(Into::into).unwrap_or_default(),
        sinks: sinks(command)?,
        deploy_hook: command.deploy_hook.as_deref().map(words).transpose()?.unwrap_or_default(),
        ..Certificate::default()
    };
    let issuers = BTreeMap::from([(account.to_string(), issuer)]);
    Ok((
        Config { issuers, solvers, certificates: vec![certificate], ..Config::default() },
        forgotten,
    ))
}

/// The provider of the flags as a solver: paths of credentials and open settings, never a secret.
fn solvers(
    command: &IssueCommand,
    given: &Definitions,
) -> Result<(Vec<Solver>, Vec<String>), Failure> {
    let Some(provider) = &command.solver.provider else {
        let document = given.documents().iter().find(|document| !document.solvers.is_empty());
        let solvers = document.map(|document| document.solvers.clone()).ok_or_else(|| {
            Failure::new(Exit::Config, "no provider is named")
                .hint("give --provider ID; `dns01 providers` lists them")
        })?;
        return Ok((solvers, Vec::new()));
    };
    let spec = dns01_providers::find(provider).attempt(|| "find the provider".into())?;
    let flags = &command.solver.credentials;
    let source = ProcessSource::new(flags)?;
    let (mut settings, mut forgotten) = (BTreeMap::new(), Vec::new());
    for setting in spec.settings {
        for env in std::iter::once(setting.env).chain(setting.aliases.iter().copied()) {
            let Some(found) =
                source.setting(env).attempt(|| "read the provider's settings".into())?
            else {
                continue;
            };
            match found.origin {
                Origin::Environment(_) if setting.secret => forgotten.push(env.to_owned()),
                Origin::Environment(_) => {
                    settings.insert(env.to_owned(), found.value.expose().to_owned());
                }
                // systemd gives this folder to one unit alone, and removes it with that.
                Origin::File(path) if flags.credentials_dir.is_none() && is_systemds(&path) => {
                    forgotten.push(env.to_owned());
                }
                Origin::File(path) if std::env::var_os(format!("{env}_FILE")).is_some() => {
                    settings.insert(format!("{env}_FILE"), absolute(&path).display().to_string());
                }
                _ => (),
            }
        }
    }
    let credentials = Credentials {
        env_file: flags.env_file.as_deref().map(absolute),
        directory: flags
            .credentials_dir
            .as_deref()
            .filter(|_| flags.env_file.is_none())
            .map(absolute),
        ..Credentials::default()
    };
    let credentials = (credentials != Credentials::default()).then_some(credentials);
    let id = spec.id.to_owned();
    Ok((
        vec![Solver {
            name: id.clone(),
            provider: id,
            settings,
            credentials,
            propagation: Propagation {
                timeout: command.propagation_timeout,
                gate_resolvers: command
                    .gate_resolver
                    .iter()
                    .flat_map(|gate| gate.0.iter().map(ToString::to_string))
                    .collect(),
                ..Propagation::default()
            },
            ..Solver::default()
        }],
        forgotten,
    ))
}

fn is_systemds(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|folder| path.starts_with(folder))
}

fn sinks(command: &IssueCommand) -> Result<Vec<Sink>, Failure> {
    let mut sinks = Vec::new();
    for text in &command.sinks.sink {
        match text.parse().attempt(|| "use the sink given".into())? {
            dns01_core::SinkAddress::Dir(path) => {
                sinks.push(Sink::Dir(DirSink { path: absolute(&path), ..DirSink::default() }));
            }
            dns01_core::SinkAddress::Secret { namespace, name } => {
                sinks.push(Sink::Secret(SecretSink { name, namespace, ..SecretSink::default() }));
            }
            // Asked for once; a later renewal has nobody to print to.
            dns01_core::SinkAddress::Stdout => (),
        }
    }
    Ok(sinks)
}

/// Refuses what would make every later `dns01 renew` fail: a definition that contradicts one that is there.
pub(super) fn check_beside_others(
    root: &Path,
    wanted: &Wanted,
    io: &StepIo,
) -> Result<(), Failure> {
    // What is broken already is for `renew` to say.
    let Ok(mut all) = known(&io.common().config, root, Some(&wanted.name)) else { return Ok(()) };
    wanted.definitions.documents().iter().try_for_each(|document| all.add(document.clone()))
}

/// Keeps the definition for `dns01 renew`; gives lines that a person should read.
pub(super) fn save(root: &Path, wanted: &Wanted, io: &StepIo) -> Result<Vec<String>, Failure> {
    let path = file(root, &wanted.name);
    let Some((document, certificate)) = wanted.definitions.certificate(&wanted.name) else {
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    let old = Config::load(&path).ok().and_then(|old| old.certificate(&wanted.name).cloned());
    if let Some(old) = old.filter(|old| old.dns_names != certificate.dns_names) {
        let names: Vec<String> = old.dns_names.iter().map(Identifier::unicode).collect();
        let (name, names) = (&wanted.name, names.join(", "));
        io.say(format_args!("Certificate {name} was for {names}: the new names replace these"));
    }
    let text = document.to_yaml().attempt(|| "write the definition".into())?;
    write(&path, &text)
        .attempt(|| format!("keep the definition in `{}`", path.display()))
        .map_err(|failure| failure.hint("make it writable, and run the same command again"))?;
    if !wanted.forgotten.is_empty() {
        lines.push(format!(
            "Renewal needs {}, which only the environment had: put it into a file and issue with --env-file",
            wanted.forgotten.join(", ")
        ));
    }
    Ok(lines)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

/// Where the definition of an `issue` call is kept.
pub(crate) fn file(root: &Path, name: &str) -> PathBuf {
    root.join("certificates").join(format!("{name}.yaml"))
}

/// Where `path` is, for files that a later run reads from another folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
