"""Results and studies as pandas frames, and simulations from Python or a notebook (docs/python.md).

    import abacus.frames as frames
    runs = frames.simulate("scenarios/first.toml", {"hardware.array.rows": 32}, out="results/wide")
"""

import json
import os
import pathlib
import sqlite3
from collections.abc import Mapping
from typing import Any

import pandas as pd

from abacus.errors import AbacusError
from abacus.programs import process
from abacus.results import read_results

Place = str | os.PathLike[str]
Value = bool | int | float | str


def results_file(place: Place) -> pathlib.Path:
    """A results.json, or the one of a folder."""
    path = pathlib.Path(place)
    return path / "results.json" if path.is_dir() else path


def flattened(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Fields of fields by their paths, as in area.array_um2; lists are left out."""
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= flattened(inner, f"{before}{name}.")
        elif not isinstance(inner, list):
            flat[before + name] = inner
    return flat


def runs(place: Place) -> pd.DataFrame:
    """A row a run, by its name; a column each field of docs/results-json.md that is no list."""
    rows = [flattened(run) for run in read_results(results_file(place))["runs"]]
    return pd.DataFrame(rows).set_index("name")


def layers(place: Place) -> pd.DataFrame:
    """A row a layer of each run, by run and layer, in the network's order."""
    rows = [
        {"run": run["name"], "layer": layer["name"]}
        | {name: value for name, value in flattened(layer).items() if name != "name"}
        for run in read_results(results_file(place))["runs"]
        for layer in run["layers"]
    ]
    return pd.DataFrame(rows).set_index(["run", "layer"])


def energy(place: Place) -> pd.DataFrame:
    """µJ an image: a row a run, a column a component; empty of a run without energy."""
    of = read_results(results_file(place))["runs"]
    rows = [run["energy_by_component_uj"] or {} for run in of]
    return pd.DataFrame(rows, index=[run["name"] for run in of])


def study(place: Place) -> pd.DataFrame:
    """A row a point of a folder of `abacus explore`, by its number; axes, status, metrics."""
    path = pathlib.Path(place)
    file = path / "study.sqlite" if path.is_dir() else path
    try:
        with sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True) as database:
            frame = pd.read_sql_query("SELECT * FROM results", database)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise AbacusError(f"{file}: it is no study of abacus explore: {error}") from None
    finally:
        if "database" in locals():
            database.close()
    return frame.set_index("number")


def toml_value(value: Value) -> str:
    """As --set takes it."""
    return json.dumps(value, ensure_ascii=False)


def simulate(
    scenario: Place,
    settings: Mapping[str, Value] | None = None,
    *,
    out: Place,
    images: int | None = None,
    check: bool = True,
    programs: Place | None = None,
) -> pd.DataFrame:
    """runs() of the scenario with these keys set, as of `abacus simulate`; its errors are
    AbacusErrors. `programs`: the folder of abacus; default: the build's, then PATH."""
    program = process.find_program("abacus", pathlib.Path(programs) if programs else None)
    command: list[object] = [program, "simulate", pathlib.Path(scenario), "--out", out, "--quiet"]
    if check:
        command.append("--check")
    if images is not None:
        command += ["--images", images]
    for key, value in (settings or {}).items():
        command += ["--set", f"{key}={toml_value(value)}"]
    process.run(command)
    return runs(out)


def explore(file: Place, *, out: Place, programs: Place | None = None) -> pd.DataFrame:
    """study() of the points that `abacus explore` simulates; it goes on where it was stopped."""
    program = process.find_program("abacus", pathlib.Path(programs) if programs else None)
    process.run([program, "explore", pathlib.Path(file), "--out", out, "--quiet"])
    return study(out)
