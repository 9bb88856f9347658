//! The `store-secret` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<store_secret::StoreSecret>().main(std::env::args_os())
}
