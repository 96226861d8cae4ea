#!/usr/bin/env bash
# The main job: ResNet-20 as an AdderNet, a CNN and a ShiftAddNet, at 8 and 4 bits, on the 10,000 test
# images of Fashion-MNIST through the modelled accelerator. Installs and builds what it needs first.
#
#   scripts/demo.sh first     # two of the networks on 1,000 images, in seconds: results/first
#   scripts/demo.sh           # all of it, in minutes: results/demo
#
# Writes results.json and report.html there.
set -euo pipefail
cd "$(dirname "$0")/.."

scenario=${1:-demo}
case "$scenario" in
  first | demo) ;;
  *) echo "scripts/demo.sh: found \"$scenario\"; allowed: first, demo" >&2; exit 2 ;;
esac
scripts/setup.sh demo
scripts/build.sh program
build/program/bin/abacus simulate "scenarios/$scenario.toml" --check --out "results/$scenario"
if ! build/program/bin/abacus report "results/$scenario/results.json"; then
  echo "scripts/demo.sh: all but the page is done: results/$scenario/results.json. Once what is missing is there:" >&2
  echo "  build/program/bin/abacus report results/$scenario/results.json" >&2
  exit 1
fi
