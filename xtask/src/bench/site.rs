//! One CA with its name servers, and what each client is told of them.

use harness::{Lab, NameServer as _, Named, Pebble, TsigKey};
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where clients go.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) directory: String,
    pub(super) zone: String,
    /// All name servers of the zone, the primary first.
    pub(super) servers: Vec<IpAddr>,
    pub(super) key: TsigKey,
    ca_file: PathBuf,
    folder: PathBuf,
}

impl Site {
    /// The CA `pebble` and the zone of `named`, which `servers` serve.
    pub(super) fn new(
        lab: &Lab,
        named: &Named,
        servers: &[IpAddr],
        pebble: &Pebble,
    ) -> anyhow::Result<Self> {
        let (folder, key) = (lab.folder("site"), named.key().clone());
        let zone = named.zones()[0].name.clone();
        fs::write(folder.join("secret"), &key.secret)?;
        let primary = named.address();
        let ini = format!(
            "dns_rfc2136_server = {primary}\ndns_rfc2136_name = {}\ndns_rfc2136_secret = {}\ndns_rfc2136_algorithm = HMAC-SHA256\n",
            key.name, key.secret
        );
        fs::write(folder.join("certbot.ini"), ini)?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(folder.join("certbot.ini"), private)?;
        fs::create_dir(folder.join("roots"))?;
        announce(&zone, servers)?;
        Ok(Self {
            directory: pebble.directory(),
            zone,
            servers: servers.to_vec(),
            key,
            ca_file: pebble.ca_file().to_owned(),
            folder,
        })
    }

    /// The same behind another URL.
    pub(super) fn at(&self, directory: String) -> Self {
        Self { directory, ..self.clone() }
    }

    /// Every client's variables: each reads its own.
    pub(super) fn environment(&self) -> Vec<(String, OsString)> {
        let primary = self.servers[0];
        let mut env: Vec<(String, OsString)> =
            ["SSL_CERT_FILE", "LEGO_CA_CERTIFICATES", "REQUESTS_CA_BUNDLE"]
                .map(|name| (name.to_owned(), self.ca_file.clone().into_os_string()))
                .to_vec();
        // Only these roots: a system's own hundreds would be read by some clients and not by others.
        env.push(("SSL_CERT_DIR".to_owned(), self.folder.join("roots").into()));
        for (name, value) in self.key.rfc2136(primary) {
            // lego 5 has renamed them.
            env.push((name.replace("RFC2136_", "DNSUPDATE_"), value.clone().into()));
            env.push((name, value.into()));
        }
        let own = [
            ("NSUPDATE_SERVER", primary.to_string().into()),
            ("NSUPDATE_KEY", self.key.file.clone().into_os_string()),
            ("NSUPDATE_ZONE", self.zone.clone().into()),
            ("ACME_PACKAGED", "1".into()),
        ];
        env.extend(own.map(|(name, value): (&str, OsString)| (name.to_owned(), value)));
        env
    }

    pub(super) fn ca_file(&self) -> String {
        self.ca_file.display().to_string()
    }

    pub(super) fn resolver(&self) -> String {
        format!("{}:53", self.servers[0])
    }

    pub(super) fn secret_file(&self) -> String {
        self.folder.join("secret").display().to_string()
    }

    pub(super) fn certbot_file(&self) -> String {
        self.folder.join("certbot.ini").display().to_string()
    }
}

/// Gives this process and all that it starts an `/etc/hosts` and `/etc/resolv.conf` of their own.
pub(super) fn own_hosts(lab: &Lab) -> anyhow::Result<()> {
    let folder = lab.folder("etc");
    for (file, text) in
        [("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", "nameserver 127.0.0.1\n")]
    {
        let own = folder.join(file);
        fs::write(&own, text)?;
        let mut mount = Command::new("mount");
        mount.arg("--bind").arg(&own).arg(Path::new("/etc").join(file));
        crate::shell::quiet(&mut mount)?;
    }
    Ok(())
}

/// Puts the name servers of a zone into `/etc/hosts`, where lego looks them up.
fn announce(zone: &str, servers: &[IpAddr]) -> anyhow::Result<()> {
    let mut hosts = fs::File::options().append(true).open("/etc/hosts")?;
    for (index, server) in servers.iter().enumerate() {
        writeln!(hosts, "{server} ns{}.{zone}", index + 1)?;
    }
    Ok(())
}
