# One line per target: the work is in `cargo xtask`, one file per verb.
.PHONY: demo test quick soak setup lint image

demo: ; cargo xtask demo
test: ; cargo xtask test
quick: ; cargo xtask quick
soak: ; cargo xtask soak
setup: ; cargo xtask setup
lint: ; cargo xtask lint
image: ; cargo xtask image
