"""Cells, each one network quantized in one way and run on the hardware, and what became of them."""

import pathlib
from dataclasses import dataclass, field
from typing import Any

from abacus.results import Run

NETWORKS = {
    "vgg-small": "VGG-Small",
    "resnet20": "ResNet-20",
    "resnet32": "ResNet-32",
    "resnet18": "ResNet-18",
    "lenet": "LeNet",
}
DATASETS = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "fashion-mnist": "Fashion-MNIST",
    "imagenet": "ImageNet",
}

FLOAT, PTQ, QAT, CITED, EXACT = "float", "ptq", "qat", "cited", "exact"
SYNTHETIC = "synthetic"

Options = tuple[tuple[str, str], ...]  # (name, value) pairs


@dataclass(frozen=True)
class Cell:
    """`kind`: float (the checkpoint's own accuracy), ptq (`abacus-train quantize`), qat
    (`abacus-train qat`), exact (such a package by the reference executor, its exponent weights in
    exact arithmetic), synthetic (random weights, for cycles and energy) or cited (a published
    figure without a counterpart of ours)."""

    kind: str
    network: str
    dataset: str
    method: str
    bits: int
    arithmetic: str = "adder"  # the checkpoint's
    scheme: str = ""
    options: Options = ()  # of the scheme, as the table wants them
    training: Options = ()  # qat: of the training, which the package's name does not tell
    more_options: Options = ()  # the user's, which go before all others
    paper_epochs: int = 0  # qat: what the paper trained
    storage_bits: int = 8
    published_as: str = ""  # the method's name among the published figures; default: `method`
    train: bool = True  # qat: False where only a ready package is used
    seeded: bool = False  # qat: trained once for each of the user's seeds
    seed: int | None = None  # of one of these trainings
    hardware: Options = ()  # (key, value) pairs of the scenario's [hardware] besides the preset
    energy: str = ""  # energy table in place of the user's
    images: int | None = None  # test images in place of the user's
    fraction_bits: int | None = None  # of the taps of POST weights, in place of the package's own
    note: str = ""

    @property
    def network_name(self) -> str:
        """For people."""
        return NETWORKS.get(self.network, self.network)

    @property
    def row(self) -> str:
        """Network and data set for people."""
        return f"{self.network_name} {DATASETS[self.dataset]}"

    def all_options(self) -> dict[str, str]:
        """The table's and the user's."""
        return {**dict(self.options), **dict(self.training), **dict(self.more_options)}

    @property
    def title(self) -> str:
        """In one line, different for each cell of a table."""
        more = f", seed {self.seed}" if self.seed is not None else ""
        more += f", {self.energy}" if self.energy else ""
        return f"{self.row}, {self.method}, {self.bits} bit{more}"

    @property
    def is_trained(self) -> bool:
        """By `abacus-train qat`."""
        return self.kind in (QAT, EXACT)

    @property
    def takes_options(self) -> bool:
        """Whether the user's options can mean it."""
        return self.kind == PTQ or self.is_trained

    @property
    def addresses(self) -> set[str]:
        """By which an option may say that it is for this cell: scheme, quantizers, ptq or qat."""
        kind = QAT if self.is_trained else self.kind
        return {self.scheme, kind, *self.quantizers.split("-")} - {""}

    @property
    def quantizers(self) -> str:
        """Those of weights and activations, of ordinary networks that are trained with them:
        "post-asq"; else an empty text."""
        options = dict(self.options)
        if "weight_quantizer" not in options:
            return ""
        return f"{options['weight_quantizer']}-{options['activation_quantizer']}"


@dataclass
class Outcome:
    """What became of a cell: a run of results.json, or the reason why there is none."""

    run: Run | None = None  # of several seeds the first one's
    runs: dict[int | None, Run] = field(default_factory=dict)  # by seed, of several
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    float_accuracy: float | None = None
    seconds: float = 0  # machine time, that of a kept result included
    package: pathlib.Path | None = None  # qat only
    losses: dict[int | None, float] = field(default_factory=dict)  # in the last epoch, by seed

    def value(self, name: str) -> Any:
        """A field of the run; None without one."""
        return self.run.get(name) if self.run else None


Outcomes = dict[Cell, Outcome]
