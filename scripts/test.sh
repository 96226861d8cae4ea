#!/usr/bin/env bash
# Builds everything and runs all tests. Installs what it needs first.
#
#   scripts/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
scripts/build.sh release
ctest --preset release --parallel "$(nproc)"
