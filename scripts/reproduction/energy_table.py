"""Unit energies of scenarios/energy, for what is counted by hand rather than by the models."""

import pathlib
import tomllib

from .errors import ReproductionError

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "scenarios" / "energy"


class EnergyTable:
    """Laws of docs/energy.md but for those of memories, which need a capacity."""

    def __init__(self, name, folder=FOLDER):
        self.file = folder / f"{name}.toml"
        try:
            content = tomllib.loads(self.file.read_text(encoding="utf-8"))
            self.title = content["title"]
            self._actions = content["action"]
        except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
            raise ReproductionError(f"{self.file}: no energy table: {error}") from None

    def picojoules(self, action, bits, other_bits=0):
        """Of one action at this width; multiplications have two."""
        try:
            law = self._actions[action]
            if law["law"] == "constant":
                return law["pj"]
            if law["law"] == "multiple":
                return law["times"] * self.picojoules(law["of"], bits, other_bits)
            if law["law"] == "width":
                return between([(point["bits"], point["pj"]) for point in law["points"]], bits)
            if law["law"] == "width-product":
                return between([(point["bits"] ** 2, point["pj"]) for point in law["points"]],
                               bits * other_bits)
        except (KeyError, TypeError) as error:
            raise ReproductionError(f"{self.file}: action {action}: no {error}") from None
        raise ReproductionError(f"{self.file}: action {action}: its law, {law['law']}, needs more "
                                "than widths")


def between(points, at):
    """Straight lines over the points, in proportion beyond them."""
    points = sorted(points)
    if at <= points[0][0]:
        return points[0][1] * at / points[0][0]
    for (low, below), (high, above) in zip(points, points[1:]):
        if at <= high:
            return below + (above - below) * (at - low) / (high - low)
    return points[-1][1] * at / points[-1][0]
