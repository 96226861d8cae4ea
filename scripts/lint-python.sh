#!/usr/bin/env bash
# Checks the Python of the project: formatted (black), clean (flake8), typed (mypy --strict). Prints what
# it finds and exits with status 1 if there is anything. `black scripts tests/scripts` mends the format.
#
#   scripts/lint-python.sh
#
# Needs Debian's packages black, flake8, mypy and python3-numpy.
set -uo pipefail
cd "$(dirname "$0")/.."

entries=(scripts/timeline scripts/doc-tables scripts/element scripts/reproduce scripts/report
  tests/rooms_test.py)
settings=$PWD/scripts/pyproject.toml
python=/usr/bin/python3
status=0

$python -m black --config "$settings" --check --quiet --diff scripts tests/scripts tests/trace "${entries[@]}" \
  || status=1
$python -m flake8 --config scripts/.flake8 scripts tests/scripts tests/trace "${entries[@]}" || status=1
# Tests have no packages of their own: their folders are told apart by the place.
(cd tests/scripts && MYPYPATH=../../scripts:. $python -m mypy --config-file "$settings" \
  --cache-dir ../../build/mypy --namespace-packages --explicit-package-bases --no-error-summary \
  ../../scripts/abacus .) || status=1
exit $status
