//! One UPDATE packet with a TSIG (RFC 2136, RFC 8945), and questions for TXT records, octet by octet.

use crate::POLL;
use anyhow::{Result, bail, ensure};
use aws_lc_rs::hmac;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest that the name servers may take.
const PATIENCE: Duration = Duration::from_mins(1);
const TXT: u16 = 16;
const SOA: u16 = 6;
const TSIG: u16 = 250;
const IN: u16 = 1;
const NONE: u16 = 254;
const ANY: u16 = 255;
/// How far the clocks of client and server may differ, in seconds.
const FUDGE: u16 = 300;

pub(crate) struct Key {
    pub(crate) name: String,
    /// For hmac-sha256.
    pub(crate) secret: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Delete,
}

/// Adds or deletes all records by one packet.
pub(crate) fn update(
    server: SocketAddr,
    zone: &str,
    records: &[(String, String)],
    change: Change,
    key: &Key,
) -> Result<()> {
    let count = u16::try_from(records.len())?;
    // Opcode 5; one zone, no prerequisites, the records.
    let mut packet = header([0x2800, 1, 0, count, 0]);
    question(&mut packet, zone, SOA)?;
    let (class, ttl) = if change == Change::Add { (IN, 60_u32) } else { (NONE, 0) };
    for (owner, value) in records {
        name(&mut packet, owner)?;
        push(&mut packet, &[TXT, class]);
        packet.extend(ttl.to_be_bytes());
        push(&mut packet, &[u16::try_from(value.len() + 1)?]);
        label(&mut packet, value)?;
    }
    sign(&mut packet, key)?;
    let answer = exchange(server, &packet)?;
    let code = answer[3] & 15;
    ensure!(code == 0, "the UPDATE was refused with code {code}");
    Ok(())
}

/// Asks every server until it shows every record.
pub(crate) fn wait(servers: &[SocketAddr], records: &[(String, String)]) -> Result<()> {
    let start = Instant::now();
    for (owner, value) in records {
        let mut packet = header([0, 1, 0, 0, 0]);
        question(&mut packet, owner, TXT)?;
        for server in servers {
            while !contains(&exchange(*server, &packet)?, value.as_bytes()) {
                ensure!(start.elapsed() < PATIENCE, "{server} never showed {owner}");
                std::thread::sleep(POLL);
            }
        }
    }
    Ok(())
}

fn exchange(server: SocketAddr, packet: &[u8]) -> Result<Vec<u8>> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.connect(server)?;
    socket.send(packet)?;
    let mut answer = vec![0; 4096];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    if length < 12 || answer[..2] != packet[..2] {
        bail!("{server} sent no answer to the question");
    }
    Ok(answer)
}

/// A fixed id, the flags and the four counts.
fn header(words: [u16; 5]) -> Vec<u8> {
    let mut packet = vec![0x64, 0x6e];
    push(&mut packet, &words);
    packet
}

fn question(packet: &mut Vec<u8>, of: &str, kind: u16) -> Result<()> {
    name(packet, of)?;
    push(packet, &[kind, IN]);
    Ok(())
}

fn sign(packet: &mut Vec<u8>, key: &Key) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_be_bytes();
    let mut head = Vec::new();
    name(&mut head, &key.name)?;
    push(&mut head, &[ANY]);
    head.extend([0; 4]);
    let mut timed = Vec::new();
    name(&mut timed, "hmac-sha256")?;
    timed.extend(&now[2..]);
    push(&mut timed, &[FUDGE]);
    let signed = [&packet[..], &head, &timed, &[0; 4]].concat();
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.secret), &signed);
    let id = u16::from_be_bytes([packet[0], packet[1]]);
    name(packet, &key.name)?;
    push(packet, &[TSIG, ANY, 0, 0]);
    push(packet, &[u16::try_from(timed.len() + 2 + code.as_ref().len() + 6)?]);
    packet.extend(timed);
    push(packet, &[u16::try_from(code.as_ref().len())?]);
    packet.extend(code.as_ref());
    push(packet, &[id, 0, 0]);
    // One additional record.
    packet[11] = 1;
    Ok(())
}

fn name(packet: &mut Vec<u8>, text: &str) -> Result<()> {
    for part in text.trim_end_matches('.').split('.') {
        label(packet, part)?;
    }
    packet.push(0);
    Ok(())
}

fn label(packet: &mut Vec<u8>, text: &str) -> Result<()> {
    packet.push(u8::try_from(text.len())?);
    packet.extend(text.as_bytes());
    Ok(())
}

fn push(packet: &mut Vec<u8>, words: &[u16]) {
    packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

fn contains(answer: &[u8], value: &[u8]) -> bool {
    answer.windows(value.len()).any(|window| window == value)
}
