//! The configuration of one `named` process.

use crate::tsig::TsigKey;
use crate::zone::{Hosted, Update};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// What one process serves, and as what.
pub(crate) enum Role<'a> {
    /// It holds the master files, lets these secondaries have the asked zones, may notify them, and may be a resolver as well.
    Primary { secondaries: &'a [IpAddr], notify: bool, recursive: bool },
    /// It copies the asked zones from this primary.
    Secondary { of: IpAddr },
}

/// Writes `named.conf` and the master files into `folder`.
pub(crate) fn write(
    folder: &Path,
    address: IpAddr,
    role: &Role<'_>,
    zones: &[Hosted],
    key: &TsigKey,
    control: &TsigKey,
) {
    let recursive = matches!(role, Role::Primary { recursive: true, .. });
    let mut conf = options(folder, address, key, control, recursive);
    for hosted in zones {
        match role {
            Role::Primary { secondaries, notify, .. } => {
                fs::write(folder.join(hosted.zone.file()), &hosted.master).unwrap();
                let secondaries = if hosted.asked { addresses(secondaries) } else { String::new() };
                primary(&mut conf, hosted, secondaries, *notify, key);
            }
            Role::Secondary { of } if hosted.asked => {
                let (name, file) = (hosted.zone.absolute(), hosted.zone.file());
                writeln!(conf, "zone \"{name}\" {{ type secondary; file \"{file}\"; masterfile-format text; primaries {{ {of}; }}; }};").unwrap();
            }
            Role::Secondary { .. } => {}
        }
    }
    fs::write(folder.join("named.conf"), conf).unwrap();
}

fn primary(
    conf: &mut String,
    hosted: &Hosted,
    mut secondaries: String,
    notify: bool,
    key: &TsigKey,
) {
    let (zone, file) = (hosted.zone.absolute(), hosted.zone.file());
    let update = match hosted.zone.update {
        Update::Txt => format!("update-policy {{ grant {} zonesub TXT; }};", key.name),
        Update::Nobody => String::new(),
    };
    let notify = if notify { secondaries.clone() } else { String::new() };
    secondaries += " !any;";
    let transfer = if hosted.zone.transfer { "any;" } else { &secondaries };
    writeln!(
        conf,
        "zone \"{zone}\" {{ type primary; file \"{file}\"; {update} also-notify {{ {notify}}}; allow-transfer {{ {transfer} }}; }};"
    )
    .unwrap();
}

fn addresses(list: &[IpAddr]) -> String {
    let words = list.iter().map(|address| format!("{address};"));
    words.collect::<Vec<_>>().join(" ")
}

fn options(
    folder: &Path,
    address: IpAddr,
    key: &TsigKey,
    control: &TsigKey,
    recursive: bool,
) -> String {
    let recursion = if recursive { "yes; allow-recursion { any; }" } else { "no" };
    let (folder, key, control_file) =
        (folder.display(), key.file.display(), control.file.display());
    let control = &control.name;
    // `notify-delay 0` and the long TCP queue: stock BIND holds a second NOTIFY back for 5 s and drops a burst of connections.
    format!(
        r#"include "{key}";
include "{control_file}";
options {{
  directory "{folder}"; pid-file none; lock-file none; session-keyfile none; managed-keys-directory "{folder}";
  listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }}; automatic-interface-scan no; interface-interval 0;
  transfer-source {address}; notify-source {address}; query-source address {address};
  recursion {recursion}; dnssec-validation no; empty-zones-enable no; minimal-responses yes;
  notify explicit; notify-delay 0; notify-rate 1000; startup-notify-rate 1000; serial-query-rate 1000;
  min-refresh-time 3600; tcp-listen-queue 1024; tcp-clients 1000; querylog yes;
}};
controls {{ inet {address} port 953 allow {{ any; }} keys {{ "{control}"; }}; }};
statistics-channels {{ inet {address} port 8053 allow {{ any; }}; }};
logging {{
  channel queries {{ file "queries.log"; print-time iso8601-utc; }};
  channel updates {{ file "updates.log"; print-time iso8601-utc; severity debug 8; }};
  channel rest {{ file "named.log"; print-time iso8601-utc; print-category yes; }};
  category queries {{ queries; }}; category update {{ updates; rest; }}; category update-security {{ rest; }}; category default {{ rest; }};
}};
"#
    )
}
