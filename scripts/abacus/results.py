"""results.json, which `abacus simulate` writes (docs/results-json.md)."""

import json
import pathlib
from typing import Any

from abacus.errors import AbacusError
from abacus.json_value import shown

SCHEMA = 1

Run = dict[str, Any]
Results = dict[str, Any]


def read_results(file: pathlib.Path) -> Results:
    """All of the file; it has one run at least."""
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
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
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise AbacusError(f"{file}: found schema {shown(schema)}; allowed: {SCHEMA}")
    if not results.get("runs"):
        raise AbacusError(f"{file}: it has no runs")
    return dict(results)
