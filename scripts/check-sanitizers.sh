#!/usr/bin/env bash
# The tests that need no torch, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/check-sanitizers.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh sanitize
ctest --preset sanitize --parallel "$(nproc)"
