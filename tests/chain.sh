#!/usr/bin/env bash
# The steps chained by hand, with only files between them: what a workflow does, for people to read and for tests to run.
#
# Takes from the environment: DNS01_BIN (folder of the binaries), WORK (an empty folder), NAME (a domain), ACME_DIRECTORY,
# CA_FILE (roots of the CA's own TLS), RESOLVER (ip:53), and the provider's variables (RFC2136_…).
# Optional: ENGINE (native or certbot), CERTIFICATE, RUN, ORDER_FLAGS, PROVIDER.
set -euo pipefail

certificate=${CERTIFICATE:-demo}
run=${RUN:-run-1}
provider=${PROVIDER:-rfc2136}
engine=${ENGINE:-native}
journal=dir:$WORK
out=$WORK/outputs

# Each step has its own folder of outputs, one file per parameter.
step() {
  local name=$1
  shift
  "$DNS01_BIN/$name" --certificate "$certificate" --run-id "$run" --outputs "$out/$name" "$@" | sed "s/^/$(printf '%-17s' "$name")/"
}
output() { cat "$out/$1/$2" 2>/dev/null || true; }

# Whatever happens, what was published is removed; the last to fail decides the exit code.
cleanup() { step cleanup --journal "$journal" --provider "$provider" --resolver "$RESOLVER" "$@"; }
trap 'cleanup --exit-hook' ERR

step renew-check --domain "$NAME,*.$NAME" --provider "$provider" --server "$ACME_DIRECTORY" --ca-bundle "$CA_FILE" --journal "$journal" --sink "dir:$WORK/live/$certificate"
[ "$(output renew-check action)" != none ] || exit 0

# shellcheck disable=SC2086 # several flags in one variable
step order --domain "$NAME,*.$NAME" --server "$ACME_DIRECTORY" --ca-bundle "$CA_FILE" --agree-tos --journal "$journal" \
  --engine "$engine" --resolver "$RESOLVER" --checked "$(output renew-check action)" ${ORDER_FLAGS:-}
action=$(output order action)
generation=$(output order generation)

if [ "$action" = issue ]; then
  if [ "$(output order needed)" = true ]; then
    step present --challenges "$(output order challenges)" --provider "$provider" --resolver "$RESOLVER"
    step wait-propagation --challenges "$(output order challenges)" --published "$(output present published)" --resolver "$RESOLVER"
  fi
  credentials=()
  [ "$engine" = native ] || credentials=(--provider "$provider")
  step certbot-issue --generation "$generation" --ca-bundle "$CA_FILE" --journal "$journal" --resolver "$RESOLVER" "${credentials[@]}"
fi
[ "$action" = none ] || step store-secret --generation "$generation" --journal "$journal" --sink "dir:$WORK/live/$certificate"

trap - ERR
cleanup
