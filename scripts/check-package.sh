#!/usr/bin/env bash
# Makes the Debian package of the program and refuses what lintian calls an error.
#
#   scripts/check-package.sh [PRESET]        # default: program
#
# Needs Debian's packages lintian and dpkg-dev; the preset is built before.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-program}
folder=build/packages
rm -rf "$folder"
cpack --config "build/$preset/CPackConfig.cmake" -G DEB -B "$folder"
lintian --fail-on error "$folder"/*.deb
