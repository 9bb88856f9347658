//! The private folder of one certbot run: the account it is lent, the request, and what its hooks leave.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_acme::AccountKey;
use dns01_core::Exit;
use dns01_step::{Attempt, Failure};
use serde_json::json;
use tempfile::TempDir;

use super::session::LOCK;

/// Bundles that the usual systems keep their trusted roots in.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A folder of mode 0700; it is removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// A folder with the account `key` at `url`, as certbot 5 keeps it, and the request `csr` (DER).
    pub(crate) fn new(
        directory: &str,
        key: &AccountKey,
        url: &str,
        csr: &[u8],
    ) -> Result<Self, Failure> {
        let what = || "make a private folder for certbot".to_owned();
        let mut builder = tempfile::Builder::new();
        builder.prefix("dns01-certbot-").permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir().attempt(what)?;
        let lock = create(&folder.path().join(LOCK)).attempt(what)?;
        lock.lock().attempt(what)?;
        let made = Self { folder, _lock: lock };
        made.put_account(directory, key, url)?;
        made.put("request.pem", &pem(csr))?;
        Ok(made)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where certbot is told to write the whole chain.
    pub(crate) fn fullchain(&self) -> PathBuf {
        self.path().join("fullchain.pem")
    }

    /// certbot's own log of everything.
    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("logs/letsencrypt.log")
    }

    /// What certbot wrote on stdout and stderr.
    pub(crate) fn output(&self) -> PathBuf {
        self.path().join("output")
    }

    /// The bundle of roots that certbot is to trust, where it is not its own.
    pub(crate) fn roots(&self) -> Option<PathBuf> {
        Some(self.path().join("roots.pem")).filter(|path| path.exists())
    }

    /// Makes that bundle where roots of ours or of `SSL_CERT_FILE` are to be trusted: certbot takes one bundle and knows
    /// no further one.
    pub(crate) fn put_roots(&self, ours: Option<&str>) -> Result<(), Failure> {
        let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
        let named = named.map(PathBuf::from);
        if ours.is_none() && named.is_none() {
            return Ok(());
        }
        let system = || SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.exists());
        let mut bundle = match named.or_else(system) {
            Some(path) => fs::read_to_string(&path)
                .attempt(|| format!("read the trusted roots in `{}`", path.display()))
                .map_err(|failure| failure.with_exit(Exit::Config))?,
            None => String::new(),
        };
        bundle.push('\n');
        bundle.push_str(ours.unwrap_or_default());
        self.put("roots.pem", &bundle)
    }

    /// `accounts/HOST/PATH/ID/{private_key,regr,meta}.json`; certbot finds the only account there is.
    fn put_account(&self, directory: &str, key: &AccountKey, url: &str) -> Result<(), Failure> {
        let server = server_path(directory)?;
        let folder = format!("config/accounts/{server}/dns01");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.path().join(&folder))
            .attempt(|| "make certbot's account folder".into())?;
        let key = key.private_jwk().attempt(|| "write the account for certbot".into())?;
        let meta = json!({ "creation_dt": "2000-01-01T00:00:00Z", "creation_host": "dns01", "register_to_eff": null });
        self.put(&format!("{folder}/private_key.json"), key.expose())?;
        self.put(&format!("{folder}/regr.json"), &json!({ "body": {}, "uri": url }).to_string())?;
        self.put(&format!("{folder}/meta.json"), &meta.to_string())
    }

    fn put(&self, name: &str, text: &str) -> Result<(), Failure> {
        create(&self.path().join(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .attempt(|| format!("write `{name}` for certbot"))
    }
}

/// Host and path of the directory's URL, by which certbot knows a CA. The URL comes from the journal, and must not lead
/// out of the folder.
fn server_path(directory: &str) -> Result<&str, Failure> {
    let server = directory.strip_prefix("https://").unwrap_or(directory);
    let server = server.split(['?', '#']).next().unwrap_or_default();
    if Path::new(server).components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(server);
    }
    let what = format!("certbot has no account folder for the directory `{directory}`");
    Err(Failure::new(Exit::Integrity, what).hint("start a new run with the CA's own directory URL"))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn pem(der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len())
        .step_by(64)
        .filter_map(|from| body.get(from..(from + 64).min(body.len())))
        .collect();
    format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directory_leads_out_of_the_folder() {
        let found = |directory| server_path(directory).map_err(|failure| failure.exit());
        assert_eq!(found("https://ca.test:14000/dir?x=/.."), Ok("ca.test:14000/dir"));
        for wrong in ["https://ca.test/../../x", "https:///etc", "https://../x", "/etc/x"] {
            assert_eq!(found(wrong), Err(Exit::Integrity), "{wrong}");
        }
    }
}
