//! The sandbox.

use harness::{Lab, Sandbox};
use std::net::IpAddr;

#[test]
#[ignore = "needs the private namespace"]
fn a_command_sees_its_own_surroundings_and_leaves_all_it_did_in_the_run() {
    let address: IpAddr = [192, 0, 2, 1].into();
    let sandbox = Sandbox::new(&Lab::new())
        .hosts(&[("api.vendor.example", address)])
        .resolv_conf(address)
        .env("A", "b");
    let script = r#"getent hosts api.vendor.example; cat /etc/resolv.conf - ; env | cut -d= -f1 | sort | tr '\n' ' ' >&2
        printf v > "$DNS01_OUTPUTS/records"; printf why > "$DNS01_TERMINATION_LOG"; exit 7"#;
    let run = sandbox.program("/bin/sh").args(["-c", script]).stdin("typed").run().exit(7);
    let run = run
        .stdout_contains("192.0.2.1")
        .stdout_contains("nameserver 192.0.2.1")
        .stdout_contains("typed")
        .termination_contains("why");
    assert_eq!(run.output("records"), "v");
    let run = run
        .stderr_contains("A DNS01_OUTPUTS DNS01_TERMINATION_LOG HOME PATH PWD TMPDIR")
        .nowhere_contains("secret");
    assert!(run.to_string().contains("output records"));
}

#[test]
#[ignore = "needs strace"]
fn a_command_dies_at_the_chosen_system_call_and_not_before() {
    let sandbox = Sandbox::new(&Lab::new());
    let script = "echo one > first; echo two > second";
    let (run, points) = sandbox.program("/bin/sh").args(["-c", script]).trace();
    run.exit(0);
    std::fs::remove_file(sandbox.home().join("second")).unwrap();
    let second =
        points.iter().find(|point| point.call == "write" && point.nth == 2).expect("two writes");
    sandbox.program("/bin/sh").args(["-c", script]).kill_at(second).run().exit(137);
    assert_eq!(std::fs::read_to_string(sandbox.home().join("first")).unwrap(), "one\n");
    assert_eq!(std::fs::read_to_string(sandbox.home().join("second")).unwrap(), "");
}

#[test]
#[ignore = "needs real root"]
fn another_user_runs_without_roots_rights() {
    if std::fs::read_to_string("/proc/self/uid_map").unwrap().split_whitespace().last() == Some("1")
    {
        return; // Somebody else's root has one user only.
    }
    Sandbox::new(&Lab::new())
        .program("/usr/bin/id")
        .arg("-u")
        .uid(65532)
        .run()
        .exit(0)
        .stdout_contains("65532");
}

#[test]
#[ignore = "needs the private namespace"]
fn a_small_disk_is_full_and_a_read_only_folder_refuses_root() {
    let lab = Lab::new();
    let (disk, folder) = (lab.small_disk(64), lab.folder("fixed"));
    lab.make_read_only(&folder);
    let full = std::fs::write(disk.join("x"), vec![0; 128 * 1024]).unwrap_err();
    let fixed = std::fs::write(folder.join("x"), "").unwrap_err();
    assert_eq!(
        (full.kind(), fixed.kind()),
        (std::io::ErrorKind::StorageFull, std::io::ErrorKind::ReadOnlyFilesystem)
    );
}

#[test]
#[ignore = "needs certbot"]
fn certbot_is_a_five() {
    Sandbox::new(&Lab::new())
        .program(harness::certbot())
        .arg("--version")
        .run()
        .exit(0)
        .stdout_contains("certbot 5.");
}
