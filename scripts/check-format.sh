#!/usr/bin/env bash
# Every C++ and CUDA source as clang-format writes it.
#
#   scripts/check-format.sh          # names what differs
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files -z '*.cpp' '*.hpp' '*.cu' '*.cuh' | xargs -0 clang-format --dry-run --Werror
