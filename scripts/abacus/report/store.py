"""A study's folder, as `abacus explore` leaves it (study.sqlite): as the value that `--points`
reads (docs/report.md#points-of-a-study)."""

import json
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from abacus.errors import AbacusError
from abacus.json_value import JsonValue, shown

SCHEMA = "1"
FILE = "study.sqlite"

# Metrics of results.json's inner objects that the page knows by other names.
NAMES = {
    "area.accelerator_um2": "area_um2",
    "area.array_um2": "array_area_um2",
    "dram_bytes_per_image": "dram_bytes",
}
SHOWN = (
    "accuracy_percent",
    "energy_per_image_uj",
    "time_per_image_us",
    "energy_delay_product_uj_us",
    "cycles_per_image",
    "static_energy_uj",
    "power_mw",
    *NAMES,
)
ABOUT = ("network", "dataset", "images", "energy_table", "area_table")
COMPONENT, TABLE = "energy_by_component_uj.", "energy_by_table_uj."


def read_store(folder: pathlib.Path) -> dict[str, Any]:
    """AbacusError where there is no study in it, or one of another schema."""
    file = folder / FILE
    if not file.is_file():
        raise AbacusError(f"{folder}: is no study's folder: there is no {FILE} in it")
    try:
        # A log that a killed process left is taken in by whoever may write.
        mode = "rw" if file.with_name(FILE + "-wal").exists() else "ro"
        database = sqlite3.connect(f"{file.resolve().as_uri()}?mode={mode}", uri=True)
        try:
            return study_in(database, file)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise AbacusError(f"{file}: {error}") from None


def study_in(database: sqlite3.Connection, file: pathlib.Path) -> dict[str, Any]:
    """Of the open database."""
    meta: dict[str, str] = dict(database.execute("SELECT key, value FROM meta"))
    if meta.get("schema") != SCHEMA:
        raise AbacusError(f"{file}: found schema {shown(meta.get('schema'))}; allowed: {SCHEMA}")
    wishes = parsed(file, meta.get("wishes", ""))
    provenance = parsed(file, meta.get("provenance", ""))
    try:
        objectives = [objective["metric"] for objective in wishes["objectives"]]
        command = provenance["command"]
        rows = database.execute(
            "SELECT number, status, reason, hash, package_sha256, axes, metrics FROM points"
            " WHERE wanted ORDER BY number"
        )
        points = list(points_of(file, rows, (*SHOWN, *objectives)))
    except (KeyError, TypeError) as error:
        raise AbacusError(f"{file}: a study without {error}") from None
    if not points:
        raise AbacusError(f"{file}: no point is finished yet")
    return {
        "schema": 1,
        "study": {
            "name": meta.get("name"),
            "file": study_file(command),
            "text": meta.get("text"),
            "base": meta.get("base") if meta.get("base") != meta.get("text") else None,
            "wanted": int(meta.get("wanted", "0")),
        },
        "provenance": provenance,
        "points": points,
    }


def parsed(file: pathlib.Path, text: str) -> Any:
    """A column's JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AbacusError(f"{file}: found {shown(text)}; allowed: JSON") from None


def study_file(command: list[str]) -> str:
    """That the command names."""
    return next((str(word) for word in command if str(word).endswith(".toml")), "STUDY.toml")


def points_of(
    file: pathlib.Path, rows: sqlite3.Cursor, metrics: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """As abacus.report.study.point_of() reads them."""
    for number, status, reason, point_hash, package, axes_text, metrics_text in rows:
        axes = JsonValue(str(file), f"point {number}: axes", parsed(file, axes_text)).fields()
        metrics_json = parsed(file, metrics_text) if metrics_text else {}
        all_metrics = JsonValue(str(file), f"point {number}: metrics", metrics_json).fields()
        given = {name: value for name, value in axes.items() if value is not None}
        yield {
            "name": ", ".join(f"{name}={value}" for name, value in given.items())
            or f"point {number}",
            "hash": point_hash,
            "package": package,
            "status": status,
            "reason": reason,
            **{name: all_metrics.get(name) for name in ABOUT},
            "axes": given,
            "metrics": {
                NAMES.get(name, name): all_metrics[name] for name in metrics if name in all_metrics
            },
            "components": parts(all_metrics, COMPONENT),
            "energy_tables": parts(all_metrics, TABLE),
        }


def parts(metrics: dict[str, Any], start: str) -> dict[str, Any]:
    """Those of one metric, by their own names."""
    return {name[len(start) :]: of for name, of in metrics.items() if name.startswith(start)}
