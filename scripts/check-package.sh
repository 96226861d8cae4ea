#!/usr/bin/env bash
# Builds the program, makes its Debian package (build/packages), and refuses what lintian calls an error.
#
#   scripts/check-package.sh
#
# Needs Debian's packages lintian and dpkg-dev.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/packages
scripts/build.sh program
rm -rf "$folder"
cpack --config build/program/CPackConfig.cmake -G DEB -B "$folder"
lintian --fail-on error "$folder"/*.deb
