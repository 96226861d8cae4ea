#!/usr/bin/env bash
# Links both programs with a look at all their types at once: two types of one name, in whatever
# files, end the build (-flto -Wodr -Werror=odr).
#
#   scripts/check-odr.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh odr
