#!/usr/bin/env bash
# Configures and builds a preset of CMakePresets.json.
#
#   scripts/build.sh PRESET [TARGET...]        # without targets: everything
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
preset=$1
shift

# A file that includes torch takes the compiler up to 2 GB.
memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
jobs=$(nproc)
if [ "$jobs" -gt $((memory_gb / 2)) ]; then jobs=$((memory_gb / 2)); fi
if [ "$jobs" -lt 1 ]; then jobs=1; fi

cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
