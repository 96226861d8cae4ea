#!/usr/bin/env bash
# The main job: ResNet-20 as an AdderNet, a CNN and a ShiftAddNet, at 8 and 4 bits, on the 10,000 test
# images of Fashion-MNIST through the modelled accelerator. Installs and builds what it needs first.
#
#   scripts/demo.sh
#
# Writes results/demo/results.json and results/demo/report.html.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
scripts/build.sh release abacus abacus-train
build/release/bin/abacus simulate scenarios/demo.toml --check --out results/demo
build/release/bin/abacus report results/demo/results.json
