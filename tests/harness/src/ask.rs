//! Questions and changes to name servers with BIND's own clients, and one bare packet for waiting.

use crate::tools::tool;
use crate::tsig::TsigKey;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The serial number of `zone` as this server's own answer, when it is authoritative for it and loaded.
pub(crate) fn serial(server: IpAddr, zone: &str) -> Option<u32> {
    let (rcode, authoritative, answer) = soa(server, zone)?;
    // The SOA rdata ends the answer: serial, refresh, retry, expire, minimum.
    let fields = answer.get(answer.len().checked_sub(20)?..)?;
    (rcode == 0 && authoritative)
        .then(|| u32::from_be_bytes([fields[0], fields[1], fields[2], fields[3]]))
}

fn soa(server: IpAddr, zone: &str) -> Option<(u8, bool, Vec<u8>)> {
    let mut packet = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in zone.split('.').filter(|label| !label.is_empty()) {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 6, 0, 1]);
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket.connect((server, 53)).unwrap();
    socket.send(&packet).ok()?;
    let mut answer = vec![0; 1500];
    let length = socket.recv(&mut answer).ok()?;
    answer.truncate(length);
    let (answers, authority) = (answer[7], answer[9]);
    // Minimal answers: the SOA is last only when the authority section is empty.
    (answers == 1 && authority == 0).then(|| (answer[3] & 15, answer[2] & 4 != 0, answer))
}

/// The TXT values at `name`, sorted, each in one piece, asked over TCP.
pub fn txt(server: IpAddr, name: &str) -> Vec<String> {
    let mut dig = Command::new(tool("dig"));
    dig.args([
        "+short",
        "+tcp",
        "+norecurse",
        "+tries=1",
        "+time=5",
        &format!("@{server}"),
        name,
        "TXT",
    ]);
    let output = dig.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "dig @{server} {name} TXT: {text}");
    // Any line without quotes is the target of a CNAME on the way.
    let lines = text.lines().filter(|line| line.starts_with('"'));
    let mut values: Vec<_> =
        lines.map(|line| line.replace("\" \"", "").trim_matches('"').to_owned()).collect();
    values.sort();
    values
}

/// Sends one UPDATE with `change` lines (`add NAME TTL TYPE DATA`, `delete …`); panics when it is refused.
pub(crate) fn nsupdate(server: IpAddr, zone: &str, key: &TsigKey, changes: &[String]) {
    let mut nsupdate = Command::new(tool("nsupdate"));
    nsupdate.arg("-k").arg(&key.file).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = nsupdate.spawn().unwrap();
    let mut script = format!("server {server}\nzone {zone}.\n");
    for change in changes {
        writeln!(script, "update {change}").unwrap();
    }
    child.stdin.take().unwrap().write_all(format!("{script}send\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "nsupdate: {}\n{script}",
        String::from_utf8_lossy(&output.stderr)
    );
}
