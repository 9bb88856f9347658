//! Where things are kept: the journal a step is given, and the root folder of a host.

use std::path::PathBuf;

use clap::Args;

/// Where the journal is, of every step that opens one.
#[derive(Args, Clone, Debug, Default)]
pub struct JournalArgs {
    /// Journal: `dir:PATH`, or `kube:` for this pod's namespace; else the folder of --dir
    #[arg(long, value_name = "ADDRESS", help_heading = "Journal")]
    pub journal: Option<String>,
    /// Where the folder is, if there is no address.
    #[command(flatten)]
    pub home: HomeArgs,
}

/// The root folder on a host.
#[derive(Args, Clone, Debug, Default)]
pub struct HomeArgs {
    /// Root folder; else /var/lib/dns01 for root, `$XDG_STATE_HOME/dns01` for others
    #[arg(long, value_name = "DIR", help_heading = "Journal")]
    pub dir: Option<PathBuf>,
}

impl JournalArgs {
    /// The address, as the store understands it.
    pub fn address(&self) -> String {
        self.journal.clone().unwrap_or_else(|| format!("dir:{}", self.home.root().display()))
    }

    /// The root folder: that of a `dir:` address, which says the same as `--dir`.
    pub fn root(&self) -> PathBuf {
        let path = self.journal.as_deref().and_then(|address| address.strip_prefix("dir:"));
        path.map_or_else(|| self.home.root(), PathBuf::from)
    }

    /// Whether the journal is on Kubernetes, so that a certificate's default sink is a Secret.
    pub fn is_on_kubernetes(&self) -> bool {
        self.journal.as_deref().is_some_and(|address| address.starts_with("kube:"))
    }
}

impl HomeArgs {
    /// The root folder.
    pub fn root(&self) -> PathBuf {
        if let Some(dir) = &self.dir {
            return dir.clone();
        }
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/lib/dns01");
        }
        let state =
            std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home =
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/state");
        state.unwrap_or_else(home).join("dns01")
    }
}
