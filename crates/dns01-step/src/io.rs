//! What a step reads and writes: the common flags, output files, the result on stdout.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::SecondsFormat;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches as _, ValueEnum};
use dns01_core::{Exit, Origin};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::entry::Origins;
use crate::{Attempt, Failure, Interrupt, Output, live};

/// Flags that every step takes.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// Certificate this is about: a DNS-1123 label, the name of its journal
    #[arg(long, aliases = ["name", "cert-name"], value_name = "NAME", help_heading = "Common")]
    pub certificate: Option<String>,
    /// Run this belongs to; on Argo `{{workflow.uid}}`
    #[arg(long, value_name = "ID", help_heading = "Common")]
    pub run_id: Option<String>,
    /// Configuration, a file or a folder of them (repeat); else ./dns01.yaml, /etc/dns01/dns01.yaml
    #[arg(long, value_name = "PATH", value_delimiter = ',', help_heading = "Common")]
    pub config: Vec<String>,
    /// Folder for output parameters, one file each
    #[arg(long, value_name = "DIR", help_heading = "Common")]
    pub outputs: Option<PathBuf>,
    /// What stdout carries: a short text, or one JSON document
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Common")]
    pub output: OutputFormat,
    /// Say nothing unless something was done, and show no progress
    #[arg(long, short, help_heading = "Common")]
    pub quiet: bool,
    /// Progress on stderr: auto (live on a terminal, else a line per phase done), plain (a line per start and end), none
    #[arg(long, value_name = "MODE", value_enum, default_value_t, help_heading = "Common")]
    pub progress: ProgressMode,
    /// Print every setting with where it came from, and do nothing
    #[arg(long, help_heading = "Common")]
    pub explain_config: bool,
    /// Trace this run belongs to (W3C Trace Context); its id stands in every log line
    #[arg(long, value_name = "TRACEPARENT", help_heading = "Common")]
    pub traceparent: Option<String>,
}

/// What stdout carries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum OutputFormat {
    /// A short text for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ProgressMode {
    /// Live on a terminal, unless `CI` is set or `TERM=dumb`; else a line at the end of each phase.
    #[default]
    Auto,
    /// A line at the start and the end of each phase, and per change while waiting.
    Plain,
    /// None.
    None,
}

/// The connection of a running step to its surroundings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StepIo(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    step: &'static str,
    outputs: Vec<Output>,
    common: CommonArgs,
    origins: Origins,
    interrupt: Interrupt,
    written: Mutex<BTreeMap<&'static str, Value>>,
}

impl StepIo {
    pub(crate) fn new(
        step: &'static str,
        outputs: Vec<Output>,
        matches: &ArgMatches,
        origins: Origins,
    ) -> Result<Self, Failure> {
        let common = CommonArgs::from_arg_matches(matches)
            .map_err(|error| Failure::new(Exit::Usage, error.to_string().trim().to_owned()))?;
        if let Some(trace) = &common.traceparent {
            tracing::info!(traceparent = %trace, "trace");
        }
        let interrupt = Interrupt::default();
        Ok(Self(Arc::new(Inner {
            step,
            outputs,
            common,
            origins,
            interrupt,
            written: Mutex::default(),
        })))
    }

    /// The name of the running step.
    pub fn step(&self) -> &'static str {
        self.0.step
    }

    /// The common flags.
    pub fn common(&self) -> &CommonArgs {
        &self.0.common
    }

    /// Signals, and what must not be cut in two by one.
    pub fn interrupt(&self) -> &Interrupt {
        &self.0.interrupt
    }

    /// The same connection for what must still be done after a signal.
    pub fn after_a_signal(&self) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            step: inner.step,
            outputs: inner.outputs.clone(),
            common: inner.common.clone(),
            origins: inner.origins.clone(),
            interrupt: Interrupt::default(),
            written: Mutex::default(),
        }))
    }

    /// The certificate's name; exit 11 without one.
    pub fn certificate(&self) -> Result<&str, Failure> {
        let name = self.0.common.certificate.as_deref();
        name.ok_or_else(|| {
            Failure::new(Exit::Config, "no certificate is named")
                .hint("give --certificate NAME, or set DNS01_CERTIFICATE")
        })
    }

    /// The run's id; exit 11 without one.
    pub fn run_id(&self) -> Result<&str, Failure> {
        self.0.common.run_id.as_deref().ok_or_else(|| {
            Failure::new(Exit::Config, "this run has no id")
                .hint("give --run-id ID: any text that no other run uses")
        })
    }

    /// Writes an output parameter: whole or not at all, 0644, without a newline at the end.
    pub fn put(&self, name: &'static str, value: impl fmt::Display) -> Result<(), Failure> {
        let text = value.to_string();
        self.write_file(name, &text)?;
        self.remember(name, Value::String(text));
        Ok(())
    }

    /// The same for a value that a later step parses.
    pub fn put_json(&self, name: &'static str, value: &impl Serialize) -> Result<(), Failure> {
        let value = serde_json::to_value(value).attempt(|| format!("encode output `{name}`"))?;
        self.write_file(name, &value.to_string())?;
        self.remember(name, value);
        Ok(())
    }

    fn remember(&self, name: &'static str, value: Value) {
        debug_assert!(
            self.0.outputs.iter().any(|output| output.name == name),
            "undeclared output {name}"
        );
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name, value);
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Failure> {
        let Some(folder) = &self.0.common.outputs else { return Ok(()) };
        let (draft, path) = (folder.join(format!(".{name}.draft")), folder.join(name));
        fs::create_dir_all(folder)
            .and_then(|()| File::create(&draft))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, &path))
            .attempt(|| format!("write output `{}`", path.display()))
            .map_err(|failure| failure.hint("name a folder that can be written with --outputs"))
    }

    /// Says something to the person on stdout; nothing with `--output json`.
    pub fn say(&self, text: impl fmt::Display) {
        if self.0.common.output == OutputFormat::Text {
            live::clear();
            print_stdout(&text);
        }
    }

    /// The same about nothing having been done: not with `--quiet`.
    pub fn mention(&self, text: impl fmt::Display) {
        if !self.0.common.quiet {
            self.say(text);
        }
    }

    pub(crate) fn finish(&self) {
        if self.0.common.output == OutputFormat::Json && !self.0.common.explain_config {
            self.print_result(&Value::Null);
        }
    }

    /// Leaves the failure in the outputs; best effort, since the failure may be that they cannot be written.
    pub(crate) fn fail(&self, failure: &Failure) {
        let error = failure.json(self.0.step);
        let retry_at = failure.retry_at().map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let _ = self.write_file("error", &error.to_string());
        let _ = self.write_file("retry-at", &retry_at.unwrap_or_default());
        if self.0.common.output == OutputFormat::Json {
            self.print_result(&error);
        }
    }

    fn print_result(&self, error: &Value) {
        let written = self.0.written.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs: Map<String, Value> =
            written.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        print_result(self.0.step, &outputs, error);
    }

    /// Prints each flag and each of `further` with its origin.
    pub(crate) fn print_settings(
        &self,
        command: &Command,
        matches: &ArgMatches,
        further: Vec<(String, String, Origin)>,
    ) {
        let mut lines: Vec<(String, String, Origin)> = Vec::new();
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            let Some(raw) = matches.try_get_raw(id).ok().flatten() else { continue };
            let parts: Vec<_> = raw.map(|part| part.to_string_lossy()).collect();
            // The one flag that is refused for being a secret must not be shown either.
            let is_secret = id == "eab_hmac_key";
            let value = parts.join(",").replace('\n', ",");
            let value = if is_secret { "(redacted)".to_owned() } else { value };
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => {
                    self.0.origins.get(id).cloned().unwrap_or(Origin::Flag)
                }
                _ => Origin::Default,
            };
            let name = arg.get_long().map_or_else(|| id.to_uppercase(), |long| format!("--{long}"));
            lines.push((name, value, origin));
        }
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        lines.extend(further);
        if self.0.common.output == OutputFormat::Json {
            let settings: Vec<Value> = lines
                .iter()
                .map(|(name, value, origin)| {
                    serde_json::json!({ "name": name, "value": value, "origin": origin.to_string() })
                })
                .collect();
            let settings = Map::from_iter([("settings".to_owned(), Value::from(settings))]);
            print_result(self.0.step, &settings, &Value::Null);
            return;
        }
        let width = lines.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        for (name, value, origin) in lines {
            print_stdout(&format_args!("{name:width$}  {value}  ({origin})"));
        }
    }
}

/// The one document of `--output json`.
pub(crate) fn print_result(step: &str, outputs: &Map<String, Value>, error: &Value) {
    print_stdout(&serde_json::json!({ "v": 1, "step": step, "outputs": outputs, "error": error }));
}

/// The one place where a step speaks on stdout. A reader who has gone (`| head`) is no failure of ours.
pub(crate) fn print_stdout(text: &impl fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
