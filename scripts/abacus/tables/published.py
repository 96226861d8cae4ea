"""Published figures: scripts/published/*.csv, each line with its paper and table."""

import csv
import pathlib

from abacus import places
from abacus.errors import AbacusError

Key = tuple[str, str, str, str, int, str]  # table, network, data set, method, bits, unit


class Published:
    """All of a folder."""

    def __init__(self, folder: pathlib.Path = places.PUBLISHED) -> None:
        self.values: dict[Key, float] = {}
        for file in sorted(folder.glob("*.csv")):
            with open(file, encoding="utf-8", newline="") as lines:
                for line in csv.DictReader(lines):
                    names = (line[name] for name in ("table", "network", "dataset", "method"))
                    table, network, dataset, method = names
                    key = (table, network, dataset, method, int(line["bits"]), line["unit"])
                    if key in self.values:
                        raise AbacusError(f"{file}: two values for {key}")
                    self.values[key] = float(line["value"])

    def value(
        self, table: str, network: str, dataset: str, method: str, bits: int, unit: str
    ) -> float | None:
        """The published value, or None where the papers have none."""
        return self.values.get((table, network, dataset, method, bits, unit))
