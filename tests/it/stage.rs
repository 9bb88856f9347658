//! A CA, its name servers, a user, and the steps chained as a workflow chains them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use dns01_core::{PrivateKey, SecretText};
use harness::{
    Invocation, Lab, NameServer, Named, NamedBuilder, Pebble, PebbleBuilder, Run, Sandbox, Signal,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The zone that every stage has.
pub(crate) const ZONE: &str = "example.test";

/// Servers and a user.
pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) named: Named,
    pub(crate) pebble: Pebble,
    pub(crate) user: Sandbox,
}

/// One run of the steps for one certificate; a clone with another run id is another run.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) user: Sandbox,
    pub(crate) name: String,
    pub(crate) run: String,
    pub(crate) domains: Vec<String>,
    pub(crate) work: PathBuf,
    directory: String,
    resolver: String,
    flags: Vec<(String, Vec<String>)>,
}

/// The steps that were run, in order, the last one first to fail if any did.
pub(crate) struct Chained(pub(crate) Vec<(String, Run)>);

impl Stage {
    /// BIND for [`ZONE`] and a pebble that asks it.
    pub(crate) fn start() -> Self {
        Self::with(|named| named, |pebble| pebble)
    }

    /// The same with other servers.
    pub(crate) fn with(
        named: impl FnOnce(NamedBuilder) -> NamedBuilder,
        pebble: impl FnOnce(PebbleBuilder) -> PebbleBuilder,
    ) -> Self {
        let lab = Lab::new();
        let named = named(Named::builder(&lab)).start();
        let pebble = pebble(Pebble::builder(&lab, named.address())).start();
        let user = Sandbox::new(&lab).envs(named.rfc2136()).env("SSL_CERT_FILE", pebble.ca_file());
        Self { lab, named, pebble, user }
    }

    /// A first run for the apex and the wildcard of [`ZONE`], in a folder of its own.
    pub(crate) fn chain(&self) -> Chain {
        self.chain_for(&[ZONE, "*.example.test"])
    }

    /// A first run for other names.
    pub(crate) fn chain_for(&self, domains: &[&str]) -> Chain {
        Chain {
            user: self.user.clone(),
            name: "shop".to_owned(),
            run: "run-1".to_owned(),
            domains: domains.iter().map(ToString::to_string).collect(),
            work: self.lab.folder("work"),
            directory: self.pebble.directory(),
            resolver: self.named.resolver(),
            flags: vec![],
        }
    }

    /// Where the answer for `domain` is, and nothing is left there.
    pub(crate) fn assert_zone_is_clean(&self) {
        let left = self.named.txt(&format!("_acme-challenge.{ZONE}"));
        assert!(left.is_empty(), "left in the zone: {left:?}");
    }
}

impl Chain {
    /// Another run of the same certificate.
    pub(crate) fn again(&self, run: &str) -> Self {
        Self { run: run.to_owned(), ..self.clone() }
    }

    /// The same at another CA.
    pub(crate) fn at(mut self, directory: &str) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// The same for a certificate that this configuration defines.
    pub(crate) fn defined_by(mut self, yaml: &str) -> Self {
        let file = self.work.join("dns01.yaml");
        fs::write(&file, yaml).unwrap();
        self.domains.clear();
        self.at("").env("DNS01_CONFIG", file.to_str().unwrap())
    }

    /// The same with another name server to find zones with.
    pub(crate) fn resolving_at(mut self, resolver: &str) -> Self {
        resolver.clone_into(&mut self.resolver);
        self
    }

    /// The same with a variable set for every step.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.user = self.user.env(name, value);
        self
    }

    /// The same with further flags for one step.
    pub(crate) fn flags(mut self, step: &str, flags: &[&str]) -> Self {
        let flags = flags.iter().map(ToString::to_string).collect();
        self.flags.push((step.to_owned(), flags));
        self
    }

    /// A step with the flags that all of them take.
    pub(crate) fn step(&self, step: &str) -> Invocation {
        let own = self.flags.iter().filter(|(name, _)| name == step);
        self.user
            .step(step)
            .args(["--certificate", &self.name, "--run-id", &self.run])
            .args(own.flat_map(|(_, flags)| flags))
    }

    fn journalled(&self, step: &str) -> Invocation {
        self.step(step).arg("--journal").arg(self.journal())
    }

    pub(crate) fn journal(&self) -> String {
        format!("dir:{}", self.work.display())
    }

    /// Without a CA and without names both come from a configuration.
    fn with_ca(&self, mut invocation: Invocation) -> Invocation {
        if !self.directory.is_empty() {
            invocation = invocation.args(["--server", &self.directory]);
        }
        match self.domains.as_slice() {
            [] => invocation,
            domains => invocation.arg("--domain").arg(domains.join(",")),
        }
    }

    pub(crate) fn check(&self) -> Invocation {
        self.with_ca(self.journalled("renew-check")).args(["--provider", "rfc2136"])
    }

    pub(crate) fn order(&self) -> Invocation {
        let order = self.with_ca(self.journalled("order"));
        order.args(["--agree-tos", "--resolver", &self.resolver])
    }

    pub(crate) fn present(&self, challenges: &str) -> Invocation {
        let present = self.step("present").args(["--provider", "rfc2136"]);
        present.args(["--resolver", &self.resolver, "--challenges", challenges])
    }

    pub(crate) fn wait(&self, challenges: &str, published: &str) -> Invocation {
        let wait = self.step("wait-propagation").args(["--resolver", &self.resolver]);
        wait.args(["--challenges", challenges, "--published", published])
    }

    pub(crate) fn issue(&self, generation: &str) -> Invocation {
        let issue = self.journalled("certbot-issue").args(["--generation", generation]);
        issue.args(["--resolver", &self.resolver])
    }

    pub(crate) fn store(&self, generation: &str) -> Invocation {
        self.journalled("store-secret").args(["--generation", generation])
    }

    pub(crate) fn cleanup(&self) -> Invocation {
        let cleanup = self.journalled("cleanup").args(["--provider", "rfc2136"]);
        cleanup.args(["--resolver", &self.resolver])
    }

    /// The same in one process.
    pub(crate) fn dns01_issue(&self) -> Invocation {
        let own = self.flags.iter().filter(|(name, _)| name == "issue");
        let issue = self.user.dns01().args(["issue", "--name", &self.name, "--agree-tos", "--dir"]);
        self.with_ca(issue.arg(&self.work))
            .args(["--provider", "rfc2136", "--resolver", &self.resolver])
            .args(own.flat_map(|(_, flags)| flags))
    }

    /// Runs the chain up to `step`, which meets what `obstruct` does, gets SIGTERM there, and goes on after `clear`.
    pub(crate) fn go_stopping(
        &self,
        step: &str,
        obstruct: impl Fn(),
        clear: impl Fn() + Sync,
    ) -> Run {
        let done = self.go_with(|name, invocation| {
            if name != step {
                return Some(invocation.run());
            }
            obstruct();
            let running = invocation.spawn();
            thread::sleep(Duration::from_millis(700));
            running.signal(Signal::TERM);
            thread::sleep(Duration::from_millis(100));
            clear();
            Some(running.wait())
        });
        done.run(step).clone()
    }

    /// All steps; the chain ends with the first that fails.
    pub(crate) fn go(&self) -> Chained {
        self.go_with(|_, step| Some(step.run()))
    }

    /// All steps, each run as `run` does it; `None` ends the chain before the step.
    pub(crate) fn go_with(&self, run: impl Fn(&str, Invocation) -> Option<Run>) -> Chained {
        let mut done = Chained(vec![]);
        let next = |done: &mut Chained, step: &str, invocation: Invocation| {
            let run = run(step, invocation)?;
            let code = run.code;
            done.0.push((step.to_owned(), run));
            (code == 0).then_some(())
        };
        let mut steps = || -> Option<()> {
            next(&mut done, "renew-check", self.check())?;
            let checked = done.output("renew-check", "action");
            if checked == "none" {
                return None;
            }
            next(&mut done, "order", self.order().args(["--checked", &checked]))?;
            let [action, generation, challenges] =
                ["action", "generation", "challenges"].map(|name| done.output("order", name));
            if action == "issue" {
                if done.output("order", "needed") == "true" {
                    next(&mut done, "present", self.present(&challenges))?;
                    let published = done.output("present", "published");
                    next(&mut done, "wait-propagation", self.wait(&challenges, &published))?;
                }
                next(&mut done, "certbot-issue", self.issue(&generation))?;
            }
            if action != "none" {
                next(&mut done, "store-secret", self.store(&generation))?;
            }
            next(&mut done, "cleanup", self.cleanup())
        };
        steps();
        done
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.work.join("journal").join(&self.name).join("state.json")
    }

    /// The journal's public document.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.state_file()).unwrap()).unwrap()
    }

    /// Changes the journal behind the steps' back.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        change(&mut state);
        fs::write(self.state_file(), state.to_string()).unwrap();
    }

    /// As if the pause that a refusal asks for were over.
    pub(crate) fn let_the_pause_pass(&self) {
        self.edit(|state| state["retry_at"] = Value::Null);
    }

    /// Every delivered file with its content.
    pub(crate) fn delivered_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.live()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.work.join("live").join(&self.name)
    }

    /// The serial number of the delivered certificate, whose key is beside it and which the journal knows.
    #[track_caller]
    pub(crate) fn delivered(&self) -> String {
        self.look().unwrap_or_else(|flaw| panic!("{flaw}"))
    }

    /// The same, or what is wrong.
    pub(crate) fn look(&self) -> Result<String, String> {
        let (serial, state) = (pair_in(&self.live())?, self.state());
        if state["phase"] != "delivered" {
            return Err(format!("not delivered: {state}"));
        }
        if state["issued"]["serial"] != serial {
            return Err(format!("the sink holds {serial}, the journal says {}", state["issued"]));
        }
        Ok(serial)
    }
}

/// The serial number of the certificate in `folder`, if its key is the one beside it.
pub(crate) fn pair_in(folder: &Path) -> Result<String, String> {
    let read = |file: &str| {
        fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))
    };
    let chain = dns01_core::Chain::from_pem(&read("fullchain.pem")?).map_err(|e| e.to_string())?;
    let key = PrivateKey::from_pem(&SecretText::from(read("privkey.pem")?));
    if key.map_err(|error| error.to_string())?.spki_hash() != chain.leaf().spki {
        return Err("the key is not the certificate's".to_owned());
    }
    Ok(chain.leaf().serial.clone())
}

impl Chained {
    /// The output of a step that was run.
    #[track_caller]
    pub(crate) fn output(&self, step: &str, name: &str) -> String {
        self.run(step).output(name).to_owned()
    }

    /// The step's run.
    #[track_caller]
    pub(crate) fn run(&self, step: &str) -> &Run {
        let found = self.0.iter().find(|(name, _)| name == step);
        &found.unwrap_or_else(|| panic!("`{step}` was not run; {}", self.last())).1
    }

    /// The step that ended the chain.
    pub(crate) fn last(&self) -> &Run {
        &self.0.last().unwrap().1
    }

    /// The names of the steps that were run.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Every step succeeded.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert!(self.last().code == 0, "{}", self.last());
        self
    }
}
