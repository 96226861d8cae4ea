"""Results and studies of many points, made up for tests of the report."""

import copy
import random
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
