#!/usr/bin/env bash
# The tests that need no torch, under AddressSanitizer and UndefinedBehaviorSanitizer; of random cases a
# smaller sample than scripts/test.sh takes (the test preset's environment, CMakePresets.json).
#
#   scripts/check-sanitizers.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh fuzz
scripts/build.sh sanitize
ctest --preset sanitize --parallel "$(nproc)"
