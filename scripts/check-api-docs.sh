#!/usr/bin/env bash
# Makes the API documentation of the headers (build/api/html/index.html); refuses what Doxygen warns of.
#
#   scripts/check-api-docs.sh
#
# Needs Debian's package doxygen.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build/api
doxygen docs/Doxyfile
