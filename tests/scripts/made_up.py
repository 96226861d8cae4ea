"""Results and studies of many points, made up for tests of the report."""

import copy
import json
import pathlib
import random
import sqlite3
from typing import Any

from results_case import tiny

LAYERS, ACTIONS = 30, 88


def many_runs(count: int) -> dict[str, Any]:
    """As long as those of a network of 30 layers; no two of them alike."""
    source = random.Random(3)
    results = tiny()
    run = results["runs"][0]
    run["layers"] = [
        {**copy.deepcopy(run["layers"][i % 2]), "name": f"layer{i}"} for i in range(LAYERS)
    ]
    run["activity_per_image"] = [
        copy.deepcopy(run["activity_per_image"][i % 2]) for i in range(ACTIONS)
    ]
    results["runs"] = []
    for i in range(count):
        own = copy.deepcopy(run)
        own["name"] = f"run {i}"
        own["network"] = ("lenet", "resnet20")[i % 2]
        own["arithmetic"] = ("post", "adder", "cnn")[i % 3]
        own["images"] = (1000, 10000)[i // 4 % 2]
        own["accuracy_percent"] = round(60 + 30 * source.random(), 2)
        own["energy_per_image_uj"] = 10 * (1 + source.random())
        own["hardware"]["array"]["rows"] = 2 ** (2 + i % 5)
        results["runs"].append(own)
    return results


def study(count: int) -> dict[str, Any]:
    """Points as abacus export --json writes them; each tenth is infeasible."""
    source = random.Random(4)
    points = []
    for i in range(count):
        point = {
            "name": f"point {i}",
            "hash": f"{i:064x}",
            "status": "ok" if i % 10 else "infeasible",
            "reason": None if i % 10 else "weight_sram: needs 70000 bytes, has 65536",
            "network": "resnet20",
            "dataset": "fashion-mnist",
            "images": 1000,
            "energy_table": "horowitz-45nm",
            "area_table": "aladdin-40nm",
            "axes": {
                "hardware.array.rows": 2 ** (2 + i % 5),
                "hardware.weight_sram.bytes": 1024 * (1 + i % 40),
                "arithmetic": ("adder", "cnn")[i % 2],
            },
            "metrics": {
                "accuracy_percent": 60 + 30 * source.random(),
                "energy_per_image_uj": 10 * (1 + source.random()),
                "time_per_image_us": 100 * (1 + source.random()),
                "layers_stalled_us": 10 * source.random(),
            },
        }
        points.append(point)
    return {
        "schema": 1,
        "study": {"name": "Arrays", "file": "arrays.toml", "text": 'name = "Arrays"\n'},
        "provenance": {"command": ["abacus", "explore", "arrays.toml"]},
        "points": points,
    }


def study_folder(folder: pathlib.Path, count: int) -> None:
    """As abacus explore leaves it; each tenth point is infeasible, each seventh of fewer images."""
    database = sqlite3.connect(folder / "study.sqlite")
    database.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    database.execute(
        "CREATE TABLE points(number INTEGER PRIMARY KEY, status TEXT, reason TEXT, hash TEXT,"
        " package_sha256 TEXT, axes TEXT, metrics TEXT, seconds REAL, wanted INTEGER DEFAULT 1)"
    )
    meta = {
        "schema": "1",
        "name": "Arrays",
        "text": 'name = "Arrays"\n',
        "base": 'network = "resnet20"\n',
        "wanted": str(count),
        "wishes": json.dumps({"objectives": [{"metric": "stalls"}], "constraints": []}),
        "provenance": json.dumps({"command": ["abacus", "explore", "studies/arrays.toml"]}),
    }
    database.executemany("INSERT INTO meta VALUES(?, ?)", list(meta.items()))
    source = random.Random(4)
    for i in range(count):
        axes = {
            "rows": 2 ** (2 + i % 5),
            "weight_sram": 1024 * (1 + i % 40),
            "arithmetic": ("adder", "cnn")[i % 2],
        }
        metrics: dict[str, Any] = {
            "network": "resnet20",
            "dataset": "fashion-mnist",
            "images": 1000 if i % 7 else 100,
            "energy_table": "horowitz-45nm",
            "area_table": "aladdin-40nm",
            "accuracy_percent": 60 + 30 * source.random(),
            "energy_per_image_uj": 10 * (1 + source.random()),
            "time_per_image_us": 100 * (1 + source.random()),
            "energy_by_component_uj.dram": 4.0,
            "energy_by_component_uj.pe_array": 6.5,
            "energy_by_table_uj.horowitz-45nm": 10.0,
            "energy_by_table_uj.accelergy-40nm": 21.0,
            "units.load.busy_cycles": 12,
            "stalls": 7,
            "area.accelerator_um2": 2e5,
            **{f"energy_by_action_uj.action{k}": source.random() for k in range(60)},
        }
        database.execute(
            "INSERT INTO points VALUES(?, ?, ?, ?, ?, ?, ?, 0.1, 1)",
            (
                i,
                "ok" if i % 10 else "infeasible",
                None if i % 10 else "needs 70000 bytes",
                f"{i:064x}",
                "ab" * 32,
                json.dumps(axes),
                json.dumps(metrics) if i % 10 else None,
            ),
        )
    database.commit()
    database.close()
