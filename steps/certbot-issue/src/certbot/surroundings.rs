//! What certbot sees: its command line, and an environment with what it and our hooks need.
//!
//! Neither holds a secret of ours: the hooks read the flags of this step back from `DNS01_…` variables, all of them
//! names and places. Provider variables that are in our own environment are passed on by their names in the catalog.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use dns01_lookup::{GateArg, LookupArgs};
use dns01_providers::CATALOG;
use dns01_step::{Attempt, Failure, StepIo, flag_environment};
use dns01_store::journal::State;

use super::Folder;
use crate::issue::Issue;

/// What is passed on where it is set; everything else of our environment is not.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CREDENTIALS_DIRECTORY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "ARGO_PROGRESS_FILE",
    "DNS01_LOG",
    "DNS01_LOG_FORMAT",
    "DNS01_FAIL_POINT",
    "DNS01_FAIL_POINT_LOG",
];

/// certbot, ready to be started; its output goes to a file of the folder.
pub(super) fn command(
    request: &Issue<'_>,
    io: &StepIo,
    state: &State,
    folder: &Folder,
) -> Result<Command, Failure> {
    let output = File::create(folder.output()).attempt(|| "keep what certbot says".into())?;
    let errors = output.try_clone().attempt(|| "keep what certbot says".into())?;
    let program = env::current_exe().attempt(|| "find this program for certbot's hooks".into())?;
    let mut command = Command::new(&request.certbot.program);
    command
        .args(["certonly", "--non-interactive", "--agree-tos", "--server", &state.spec.directory])
        .args(["--manual", "--preferred-challenges", "dns", "--disable-hook-validation"])
        .args(["--manual-auth-hook", &hook(&program, "auth")])
        .args(["--manual-cleanup-hook", &hook(&program, "cleanup")])
        .args(["--issuance-timeout", &request.timeout.as_secs().to_string()]);
    for (flag, name) in [
        ("--config-dir", "config"),
        ("--work-dir", "work"),
        ("--logs-dir", "logs"),
        ("--csr", "request.pem"),
        ("--cert-path", "cert.pem"),
        ("--chain-path", "chain.pem"),
    ] {
        command.arg(flag).arg(folder.path().join(name));
    }
    command.arg("--fullchain-path").arg(folder.fullchain());
    if let Some(chain) = &request.issuer.preferred_chain {
        command.args(["--preferred-chain", chain]);
    }
    if let Some(profile) = &state.spec.profile {
        command.args(["--required-profile", profile]);
    }
    command.stdin(Stdio::null()).stdout(output).stderr(errors).env_clear();
    command.envs(passed_on()).envs(for_hooks(request, io, folder));
    // A user's own cli.ini is about other certificates.
    command.env("XDG_CONFIG_HOME", folder.path()).env("TMPDIR", folder.path());
    if let Some(roots) = folder.roots() {
        command.env("REQUESTS_CA_BUNDLE", roots);
    }
    Ok(command)
}

/// A shell command. certbot itself would go on after a hook that failed, and tell the CA to look in vain: so the shell
/// ends the process group, which is certbot's own.
fn hook(program: &Path, act: &str) -> String {
    let program = program.to_string_lossy().replace('\'', r"'\''");
    let end = if act == "auth" { " || kill 0" } else { "" };
    format!("'{program}' certbot-hook {act}{end}")
}

fn passed_on() -> impl Iterator<Item = (String, OsString)> {
    let settings = CATALOG.iter().flat_map(|spec| spec.settings);
    let settings =
        settings.flat_map(|one| [one.env].into_iter().chain(one.aliases.iter().copied()));
    let settings = settings.flat_map(|name| [name.to_owned(), format!("{name}_FILE")]);
    let names = PASSED_ON.iter().map(|name| (*name).to_owned()).chain(settings);
    let waiting = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let waiting = waiting.filter(|name| wait_propagation::is_about_waiting(name));
    names.chain(waiting).filter_map(|name| env::var_os(&name).map(|value| (name, value)))
}

/// The hooks' flags, by their environment names.
fn for_hooks(request: &Issue<'_>, io: &StepIo, folder: &Folder) -> Vec<(String, OsString)> {
    let certbot = &request.certbot;
    let credentials = &certbot.solver.credentials;
    let flags: [(&str, Option<OsString>); 14] = [
        ("session", Some(folder.path().into())),
        ("certificate", Some(request.certificate.as_str().into())),
        ("run-id", Some(request.run.as_str().into())),
        ("generation", Some(request.generation.to_string().into())),
        ("journal", Some(certbot.journal.as_str().into())),
        ("config", Some(io.common().config.join(",").into())),
        ("provider", certbot.solver.provider.as_deref().map(Into::into)),
        ("credentials-dir", credentials.credentials_dir.as_deref().map(Into::into)),
        ("env-file", credentials.env_file.as_deref().map(Into::into)),
        ("timeout", certbot.propagation.map(|wait| format!("{}s", wait.as_secs()).into())),
        ("resolver", Some(resolvers(&certbot.lookup).into())),
        ("authority", Some(authorities(&certbot.lookup).into())),
        ("trust-anchor", certbot.lookup.trust_anchor.as_deref().map(Into::into)),
        ("gate-resolver", Some(gates(&certbot.gates).into())),
    ];
    let given =
        flags.into_iter().filter_map(|(flag, value)| Some((flag_environment(flag), value?)));
    // A hook's failure is ours to tell.
    let quiet = [("DNS01_TERMINATION_LOG", "/dev/null"), ("DNS01_PROGRESS", "plain")];
    given.chain(quiet.map(|(name, value)| (name.to_owned(), value.into()))).collect()
}

fn resolvers(args: &LookupArgs) -> String {
    let all = args.resolver.iter().flat_map(|one| &one.0).map(ToString::to_string);
    all.collect::<Vec<_>>().join(",")
}

fn gates(args: &[GateArg]) -> String {
    let all = args.iter().flat_map(|one| &one.0).map(ToString::to_string);
    all.collect::<Vec<_>>().join(",")
}

fn authorities(args: &LookupArgs) -> String {
    let all = args.authority.iter().flat_map(|one| &one.0).map(|(zone, servers)| {
        let servers = servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        format!("{zone}={servers}")
    });
    all.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_and_quotes_is_one_word_for_the_shell() {
        assert_eq!(
            hook(Path::new("/o p/it's/dns01"), "auth"),
            r"'/o p/it'\''s/dns01' certbot-hook auth || kill 0"
        );
    }

    #[test]
    fn look_up_flags_come_back_from_their_variables() {
        let args = LookupArgs {
            resolver: vec!["192.0.2.1,[2001:db8::1]:54".parse().unwrap()],
            authority: vec!["a.test=192.0.2.2;b.test=192.0.2.3:54,::1".parse().unwrap()],
            ..LookupArgs::default()
        };
        let resolver: dns01_lookup::ResolverArg = resolvers(&args).parse().unwrap();
        let authority: dns01_lookup::AuthorityArg = authorities(&args).parse().unwrap();
        assert_eq!((vec![resolver], vec![authority]), (args.resolver, args.authority));
    }
}
