"""What a figure is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from abacus.cells.cell import DATASETS, NETWORKS, Outcomes
from abacus.cells.settings import Settings
from abacus.checkpoint import Checkpoint, Checkpoints
from abacus.errors import AbacusError
from abacus.programs.programs import Programs

NETWORK = "resnet20"  # of all figures


@dataclass(frozen=True)
class Request:
    """`outcomes`: of the table of that name; None where there is no such table."""

    name: str
    settings: Settings
    checkpoints: Checkpoints
    outcomes: Outcomes | None

    @property
    def programs(self) -> Programs:
        """Those of the user's build."""
        return Programs(self.settings.bin, self.settings.data)

    def find_checkpoint(self, arithmetic: str) -> Checkpoint | None:
        """That of the first of the user's data sets that has one."""
        for dataset in self.settings.dataset:
            if (NETWORK, arithmetic, dataset) in self.checkpoints:
                return self.checkpoints[NETWORK, arithmetic, dataset]
        return None

    def checkpoint(self, arithmetic: str) -> Checkpoint:
        """The same; AbacusError where there is none."""
        found = self.find_checkpoint(arithmetic)
        if found is None:
            raise AbacusError(
                f"no checkpoint of {NETWORKS[NETWORK]} {arithmetic} "
                f"{' or '.join(self.settings.dataset)} was given (--checkpoint)"
            )
        return found

    def bits(self, usual: int) -> int:
        """The first of the user's widths."""
        return self.settings.bits[0] if self.settings.bits else usual


MakeFigure = Callable[[Request], None]


def name_of(checkpoint: Checkpoint) -> str:
    """Network and data set for people."""
    return f"{NETWORKS[checkpoint.network]}, {DATASETS[checkpoint.dataset]}"
