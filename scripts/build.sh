#!/usr/bin/env bash
# Configures and builds a preset of CMakePresets.json.
#
#   scripts/build.sh PRESET [TARGET...]        # without targets: everything
#
# Compiles through ccache where that is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] || { sed -n '2,6p' "$0"; exit 2; }
preset=$1
shift

# A file that includes torch takes the compiler up to 2 GB.
memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
jobs=$(nproc)
if [ "$jobs" -gt $((memory_gb / 2)) ]; then jobs=$((memory_gb / 2)); fi
if [ "$jobs" -lt 1 ]; then jobs=1; fi

if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  # Without these two ccache lets all pass that uses a precompiled header; with them it finds every
  # file again, GCC needing no -fpch-preprocess where CMake includes the header on the command line.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:+$CCACHE_SLOPPINESS,}pch_defines,time_macros
fi
cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
