#!/usr/bin/env bash
# clang-tidy by .clang-tidy, every finding an error.
#
#   scripts/check-tidy.sh            # all sources of the simulator and of what it shares
#   scripts/check-tidy.sh FILE...    # these, of the simulator or not
#
# Needs no build: a configured preset knows how each file is compiled.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=simulator
files=("$@")
[ $# -eq 0 ] || preset=tidy
cmake --preset "$preset" >/dev/null
if [ $# -eq 0 ]; then
  mapfile -t files < <(
    sed -n 's|^  "file": "\(.*\)",\?$|\1|p' "build/$preset/compile_commands.json" |
      grep -E "^$PWD/(models|tlm|sw)/" | sort -u)
fi
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy -p "build/$preset" --quiet
