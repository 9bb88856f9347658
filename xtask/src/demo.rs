//! `cargo xtask demo`: one certificate by the separate steps, one by `dns01 issue`, from real servers on this machine.

use crate::stage::{self, NAME, Stage};
use crate::{setup, shell};
use anyhow::{Context as _, Result, bail, ensure};
use harness::NameServer as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    #[arg(long, hide = true)]
    inside: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        if self.inside {
            return show();
        }
        println!(
            "This demo gets two wildcard certificates from a real CA over real name servers, all on this machine:"
        );
        println!("nothing leaves it, nothing stays running.");
        heading(1, "Install what is missing");
        setup::Setup::DEMO.run()?;
        heading(2, "Build dns01 and its steps");
        stage::build()?;
        stage::inside(&["demo", "--inside"])
    }
}

fn show() -> Result<()> {
    heading(3, "Start the servers, in a private network");
    let stage = Stage::start();
    println!("CA            pebble         {}", stage.pebble.directory());
    println!(
        "name server   BIND primary   {}, zone {NAME}, TSIG key {}",
        stage.named.address(),
        stage.named.key().name
    );
    println!("name server   BIND secondary {}", stage.named.secondary_addresses()[0]);

    heading(4, "Issue by the separate steps, chained by a shell script");
    let bin = stage::binaries()?;
    let work = stage.lab.folder("steps");
    let script = shell::root().join("tests/chain.sh");
    issue(
        &stage,
        "tests/chain.sh",
        Command::new("bash")
            .arg(script)
            .env("DNS01_BIN", &bin)
            .env("WORK", &work)
            .current_dir(&work),
    )?;
    check(&stage, &work)?;

    heading(5, "Issue by one command");
    let work = stage.lab.folder("issue");
    let request = format!("issue -d {NAME} -d *.{NAME} --provider rfc2136 --agree-tos");
    let mut dns01 = Command::new(bin.join("dns01"));
    dns01.args(request.split(' ')).args(["--server", &stage.pebble.directory()]);
    dns01.args(["--resolver", &stage.named.resolver(), "--dir"]).arg(&work);
    let shown = format!("dns01 {request} --server … --resolver … --dir …");
    issue(&stage, &shown, &mut dns01)?;
    check(&stage, &work)?;

    heading(6, "Stop the servers");
    println!(
        "Done: 2 certificates, {} requests to the CA, {} UPDATE packets to the name server.",
        stage.pebble.requests(),
        stage.named.update_requests()
    );
    Ok(())
}

fn issue(stage: &Stage, shown: &str, command: &mut Command) -> Result<()> {
    println!("$ {shown}");
    shell::quiet(command.envs(stage.environment()))
}

/// Lets openssl and dig, which know nothing of us, look at the result.
fn check(stage: &Stage, work: &Path) -> Result<()> {
    let chain = find(work, "fullchain.pem")
        .with_context(|| format!("no fullchain.pem below {}", work.display()))?;
    let roots = stage.pebble.issuing_roots_file();
    let ask = |what: &str, command: &mut Command| -> Result<String> {
        let said = shell::output(command).with_context(|| format!("{what} failed"))?;
        println!("$ {what}");
        if !said.is_empty() {
            println!("{}", said.trim_end());
        }
        Ok(said)
    };
    println!();
    ask(
        "openssl verify -CAfile roots.pem -untrusted fullchain.pem fullchain.pem",
        Command::new("openssl")
            .args(["verify", "-CAfile"])
            .arg(roots)
            .arg("-untrusted")
            .arg(&chain)
            .arg(&chain),
    )?;
    let names = ask(
        "openssl x509 -in fullchain.pem -noout -issuer -enddate -ext subjectAltName",
        Command::new("openssl")
            .args(["x509", "-noout", "-issuer", "-enddate", "-ext", "subjectAltName", "-in"])
            .arg(&chain),
    )?;
    let certified: Vec<&str> = names.split([',', '\n']).map(str::trim).collect();
    ensure!(
        [format!("DNS:{NAME}"), format!("DNS:*.{NAME}")]
            .iter()
            .all(|name| certified.contains(&name.as_str())),
        "the certificate is not for {NAME} and its wildcard"
    );
    for server in [stage.named.address()].into_iter().chain(stage.named.secondary_addresses()) {
        let left = ask(
            &format!("dig +short TXT _acme-challenge.{NAME} @{server}"),
            Command::new("dig").args([
                "+short",
                "TXT",
                &format!("_acme-challenge.{NAME}"),
                &format!("@{server}"),
            ]),
        )?;
        if !left.is_empty() {
            bail!("a TXT record is left in the zone");
        }
        println!("(nothing left)");
    }
    Ok(())
}

/// The first file of this name in or below `folder`.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut paths = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    paths.find_map(|path| {
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}

fn heading(number: u8, text: &str) {
    println!("\n[{number}/6] {text}");
}
