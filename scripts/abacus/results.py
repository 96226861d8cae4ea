"""results.json, which `abacus simulate` writes (docs/results-json.md)."""

import json
import pathlib
from typing import Any

from abacus.errors import AbacusError
from abacus.json_value import shown

SCHEMA = 2
FIRST_SCHEMA = 1

Run = dict[str, Any]
Results = dict[str, Any]


def read_json(file: pathlib.Path) -> Any:
    """The file's value; AbacusError where there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AbacusError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise AbacusError(
            f"{file}: byte {error.start}: found {error.object[error.start]:#04x}; allowed: UTF-8"
        ) from None
    except ValueError as error:
        raise AbacusError(f"{file}: no JSON: {error}") from None
    except RecursionError:
        raise AbacusError(f"{file}: its lists and objects are nested too deep") from None


def read_results(file: pathlib.Path) -> Results:
    """All of the file; it has one run at least."""
    results = read_json(file)
    schema = results.get("schema") if isinstance(results, dict) else None
    if type(schema) is not int or not FIRST_SCHEMA <= schema <= SCHEMA:
        newer = "; a newer abacus wrote it" if type(schema) is int and schema > SCHEMA else ""
        raise AbacusError(
            f"{file}: found schema {shown(schema)}; allowed: {FIRST_SCHEMA} to {SCHEMA}{newer}"
        )
    if not results.get("runs"):
        raise AbacusError(f"{file}: it has no runs")
    return with_later_fields(results) if schema < SCHEMA else dict(results)


def with_later_fields(results: Results) -> Results:
    """Of an older schema: what a run said of its weights before it had the field for it, and no
    area where there was none."""
    if not isinstance(results["runs"], list):
        return results
    for run in results["runs"]:
        if isinstance(run, dict):
            run.setdefault("weights", "synthetic" if "synthetic" in run else "trained")
            run.setdefault("area", None)
    return results
