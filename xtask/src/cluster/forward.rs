//! A port of this machine's loopback that leads to the API server in the namespace.

use anyhow::{Context as _, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::thread;

/// Listens and forwards from now on; gives the port. `inside` is a process of the namespace.
pub(super) fn start(inside: u32) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    let port = listener.local_addr()?.port();
    let network = Path::new("/proc").join(inside.to_string()).join("ns/net");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let network = network.clone();
            thread::spawn(move || forward(client, network));
        }
    });
    Ok(port)
}

fn forward(client: TcpStream, network: PathBuf) -> io::Result<()> {
    // A socket belongs to the network that its thread was in when it was made.
    move_into_link_name_space(File::open(network)?.as_fd(), Some(LinkNameSpaceType::Network))?;
    let server = TcpStream::connect(harness::Cluster::API)?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(from, to));
    copy(server, client);
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}
