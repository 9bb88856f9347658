# One line per target: the work is in `cargo xtask`, one file per verb.
.PHONY: demo test quick soak setup lint image cc

demo: cc ; cargo xtask demo
test: cc ; cargo xtask test
quick: cc ; cargo xtask quick
soak: cc ; cargo xtask soak
setup: cc ; cargo xtask setup
lint: cc ; cargo xtask lint
image: cc ; cargo xtask image

# Rust links with the system's C compiler, so this one thing xtask cannot install.
cc: ; @command -v cc >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends gcc libc6-dev; } || { echo 'a C compiler is missing: sudo apt-get install gcc libc6-dev' >&2; exit 1; }
