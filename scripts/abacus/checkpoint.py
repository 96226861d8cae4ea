"""Trained float networks."""

import pathlib
from collections.abc import Iterable

from abacus.errors import AbacusError
from abacus.safetensors import read_metadata

FORMAT = "abacus-checkpoint-1"

Key = tuple[str, str, str]  # network, arithmetic, data set


class Checkpoint:
    """A trained float network; the metadata tells which."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        metadata = read_metadata(file)
        if metadata.get("format") != FORMAT:
            raise AbacusError(
                f"{file}: found format \"{metadata.get('format')}\"; allowed: a checkpoint, "
                f"{FORMAT}, of abacus-train train or import"
            )
        try:
            self.network = metadata["network"]
            self.arithmetic = metadata["arithmetic"]
            self.dataset = metadata["dataset"]
            accuracy = float(metadata["float_accuracy_percent"])
        except (KeyError, ValueError) as error:
            raise AbacusError(f"{file}: metadata: {error}") from None
        self.accuracy = accuracy if accuracy >= 0 else None

    @property
    def key(self) -> Key:
        """By which a table's cell finds it."""
        return (self.network, self.arithmetic, self.dataset)


Checkpoints = dict[Key, Checkpoint]


def find_checkpoints(given: Iterable[pathlib.Path], shipped_folder: pathlib.Path) -> Checkpoints:
    """By (network, arithmetic, data set): those given, and the shipped ones where none is given."""
    found: Checkpoints = {}
    for file in given:
        checkpoint = Checkpoint(file)
        if checkpoint.key in found:
            raise AbacusError(
                f"--checkpoint: {found[checkpoint.key].file} and {file} are both of "
                f"{' '.join(checkpoint.key)}; give one of them"
            )
        found[checkpoint.key] = checkpoint
    for file in sorted(shipped_folder.glob("*.safetensors")):
        checkpoint = Checkpoint(file)
        found.setdefault(checkpoint.key, checkpoint)
    return found
