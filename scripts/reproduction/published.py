"""Published figures: scripts/published/*.csv, each line with its paper and table."""

import csv
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "published"


class Published:
    def __init__(self, folder=FOLDER):
        self._values = {}
        for file in sorted(folder.glob("*.csv")):
            with open(file, encoding="utf-8", newline="") as lines:
                for line in csv.DictReader(lines):
                    key = (line["table"], line["network"], line["dataset"], line["method"],
                           int(line["bits"]), line["unit"])
                    if key in self._values:
                        raise ValueError(f"{file}: two values for {key}")
                    self._values[key] = float(line["value"])

    def value(self, table, network, dataset, method, bits, unit):
        """The published value, or None where the papers have none."""
        return self._values.get((table, network, dataset, method, bits, unit))
