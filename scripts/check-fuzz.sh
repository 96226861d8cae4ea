#!/usr/bin/env bash
# Each fuzz target for 20 seconds, from its seeds.
#
#   scripts/check-fuzz.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh fuzz
scripts/fuzz --seconds 20
