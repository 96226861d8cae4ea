#!/usr/bin/env bash
# Installs the Debian 12 packages that Abacus is built from, those that are not there yet.
#
#   scripts/setup.sh demo     # to build the simulator alone and run what ships
#   scripts/setup.sh          # to build and test everything
#   scripts/setup.sh lint     # what all gates (scripts/check-*.sh) and the tests in a browser need, too
#   scripts/setup.sh fuzz     # what sanitizers and fuzz targets need, too (scripts/fuzz)
#
# Works as root, or as a user who may use sudo; asks no questions.
set -euo pipefail

case "${1:-}" in
  "" | demo | lint | fuzz) ;;
  *) echo "scripts/setup.sh: found \"$1\"; allowed: demo, lint, fuzz, or nothing" >&2; exit 2 ;;
esac
packages=(
  # build
  g++ cmake ninja-build pkg-config
  # both halves
  libboost-dev nlohmann-json3-dev libcli11-dev libspdlog-dev zlib1g-dev libssl-dev
  # simulator
  libsystemc-dev libtomlplusplus-dev libsqlite3-dev libmuparserx-dev libprotozero-dev
  # report (with Debian's own /usr/bin/python3)
  python3 python3-jinja2 python3-plotly esbuild
  # images
  dataset-fashion-mnist
)
if [ "${1:-}" != demo ]; then
  packages+=(
    # trainer; OpenBLAS in its OpenMP build, since the one with threads of its own gets in the way of
    # torch's (the -dev package keeps that one from coming along with matplotlib)
    libtorch-dev libopenblas0-openmp libopenblas-openmp-dev libhwy-dev
    # tests and benchmarks
    libgtest-dev libgmock-dev libbenchmark-dev
    # studies: method nsga2, and a cluster for the tests of --engine slurm
    libpagmo-dev slurmctld slurmd slurm-client munge
    # the papers' figures, results as frames
    python3-matplotlib python3-pandas
    # notebooks
    python3-nbclient python3-ipykernel
    # the manual page's test
    groff-base
  )
fi
if [ "${1:-}" = lint ]; then
  packages+=(ccache)  # what the package's build has compiled, the tests' build need not
  packages+=(clang-format clang-tidy black flake8 mypy python3-numpy doxygen lintian dpkg-dev zsh)
  packages+=(chromium chromium-driver python3-selenium)  # the tests of the report's page in a browser
fi
if [ "${1:-}" = lint ] || [ "${1:-}" = fuzz ]; then
  packages+=(clang llvm libclang-rt-dev)
fi

# Those that are not there yet.
install() {
  local missing=() package state as_root=()
  for package in "$@"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "scripts/setup.sh: needs root or sudo to install: ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "installing: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
install "${packages[@]}"
