//! Which sinks a certificate has: flags, else its definition, else the usual one.

use clap::Args;
use dns01_core::{Exit, FileNames, FolderLayout, SinkAddress, SinkFormat, SinkOptions};

use crate::config::{DirLayout, DirSink, Format, Home, SecretSink, Sink};
use crate::{Attempt, Definitions, Failure, JournalArgs, OutputFormat, StepIo};

/// Flags about sinks.
#[derive(Args, Clone, Debug, Default)]
pub struct SinkArgs {
    /// Where to deliver: `dir:PATH`, `secret:[NAMESPACE/]NAME` or `stdout:` (repeat); else as defined
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub sink: Vec<String>,
    /// Replace what belongs to somebody else
    #[arg(long)]
    pub take_over: bool,
}

/// A sink and how it is written.
#[derive(Clone, Debug)]
pub struct PlannedSink {
    /// Where.
    pub address: SinkAddress,
    /// How.
    pub options: SinkOptions,
}

impl PlannedSink {
    /// Whether key and chain go to stdout, which nothing else may use then.
    pub fn is_stdout(&self) -> bool {
        self.address == SinkAddress::Stdout
    }

    /// Refuses a key and a result document on one stdout.
    pub fn check_stdout(planned: &[Self], io: &StepIo) -> Result<(), Failure> {
        if io.common().output == OutputFormat::Json && planned.iter().any(Self::is_stdout) {
            let what = "stdout cannot carry both a key and the document of --output json";
            return Err(Failure::new(Exit::Config, what)
                .hint("leave one of them out, or deliver to a folder: --sink dir:PATH"));
        }
        Ok(())
    }
}

/// The sinks of the certificate `name`.
pub fn planned_sinks(
    definitions: &Definitions,
    name: &str,
    flags: &SinkArgs,
    journal: &JournalArgs,
) -> Result<Vec<PlannedSink>, Failure> {
    let mut planned = if flags.sink.is_empty() {
        let root = journal.root();
        let home = if journal.is_on_kubernetes() { Home::Kubernetes } else { Home::Host(&root) };
        defined(definitions, name, home)?
    } else {
        flags.sink.iter().map(|text| plain(text)).collect::<Result<_, _>>()?
    };
    for one in &mut planned {
        one.options.take_over = flags.take_over;
    }
    Ok(planned)
}

fn defined(
    definitions: &Definitions,
    name: &str,
    home: Home<'_>,
) -> Result<Vec<PlannedSink>, Failure> {
    match (definitions.certificate(name), home) {
        (Some((_, certificate)), _) => certificate.sinks(home).into_iter().map(planned).collect(),
        (None, Home::Host(root)) => {
            let address = SinkAddress::Dir(root.join("live").join(name));
            Ok(vec![PlannedSink { address, options: SinkOptions::default() }])
        }
        (None, Home::Kubernetes) => Err(Failure::new(
            Exit::Config,
            format!("nothing says where certificate `{name}` is delivered"),
        )
        .hint("give --sink secret:NAME, or define the certificate in the configuration")),
    }
}

fn plain(text: &str) -> Result<PlannedSink, Failure> {
    let address = text.parse().attempt(|| "use the sink given".into())?;
    Ok(PlannedSink { address, options: SinkOptions::default() })
}

fn planned(sink: Sink) -> Result<PlannedSink, Failure> {
    match sink {
        Sink::Secret(SecretSink { name, namespace, labels, annotations, formats }) => {
            let namespace = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
            let mut one = plain(&format!("secret:{namespace}{name}"))?;
            let formats = formats.into_iter().map(combined).collect();
            one.options = SinkOptions { labels, annotations, formats, ..SinkOptions::default() };
            Ok(one)
        }
        Sink::Dir(DirSink { path, layout, formats, group, key_mode, files }) => {
            let layout = match layout {
                DirLayout::Plain => FolderLayout::Plain,
                DirLayout::Certbot => FolderLayout::Certbot,
            };
            let crate::config::DirFiles { cert, chain, fullchain, key, combined: together } = files;
            let options = SinkOptions {
                formats: formats.into_iter().map(combined).collect(),
                group,
                key_mode: Some(key_mode.bits()),
                files: FileNames { cert, chain, fullchain, key, combined: together },
                layout,
                ..SinkOptions::default()
            };
            Ok(PlannedSink { address: SinkAddress::Dir(path), options })
        }
    }
}

fn combined(format: Format) -> SinkFormat {
    match format {
        Format::CombinedPem => SinkFormat::CombinedPem,
    }
}
