#!/usr/bin/env bash
# Installs the Debian 12 packages that Abacus is built from, those that are not there yet.
#
#   scripts/setup.sh          # to build and test
#   scripts/setup.sh lint     # what the checks of style need, too (scripts/check-*.sh)
#   scripts/setup.sh fuzz     # what the fuzz targets need, too (scripts/fuzz)
#
# Works as root, or as a user who may use sudo; asks no questions.
set -euo pipefail

packages=(
  # build
  g++ cmake ninja-build pkg-config
  # both halves
  libboost-dev nlohmann-json3-dev libcli11-dev zlib1g-dev libssl-dev
  # simulator
  libsystemc-dev libtomlplusplus-dev
  # trainer; OpenBLAS in its OpenMP build, since the one with threads of its own gets in the way of
  # torch's (the -dev package keeps that one from coming along with matplotlib)
  libtorch-dev libopenblas0-openmp libopenblas-openmp-dev libhwy-dev
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev
  # report (with Debian's own /usr/bin/python3)
  python3 python3-jinja2 python3-matplotlib
  # images
  dataset-fashion-mnist
)
if [ "${1:-}" = lint ]; then
  packages+=(clang-format clang-tidy black flake8 mypy python3-numpy)
fi
if [ "${1:-}" = fuzz ]; then
  packages+=(clang llvm libclang-rt-dev)
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
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
