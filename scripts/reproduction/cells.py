"""What a table is made of: cells, each one network quantized in one way and run on the hardware."""

import statistics
from dataclasses import dataclass, field

NETWORKS = {"vgg-small": "VGG-Small", "resnet20": "ResNet-20", "resnet32": "ResNet-32",
            "resnet18": "ResNet-18", "lenet": "LeNet"}
DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "fashion-mnist": "Fashion-MNIST",
            "imagenet": "ImageNet"}

FLOAT, PTQ, QAT, CITED, EXACT = "float", "ptq", "qat", "cited", "exact"
SYNTHETIC = "synthetic"


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
    arithmetic: str = "adder"
    scheme: str = ""
    options: tuple = ()  # (name, value) pairs of the scheme's options, as the table wants them
    training: tuple = ()  # qat: options of the training, which the package's name does not tell
    more_options: tuple = ()  # the user's, which go before all others
    paper_epochs: int = 0  # qat: what the paper trained
    storage_bits: int = 8
    published_as: str = ""  # the method's name among the published figures; default: `method`
    train: bool = True  # qat: False where only a ready package is used
    seeded: bool = False  # qat: trained once for each of the user's seeds
    seed: int = None  # of one of these trainings
    runs_as: str = ""  # the arithmetic of the package, where it is not the checkpoint's
    hardware: tuple = ()  # (key, value) pairs of the scenario's [hardware] besides the preset
    energy: str = ""  # energy table in place of the user's
    images: int = None  # test images in place of the user's
    fraction_bits: int = None  # of the taps of a package of POST weights, in place of its own
    note: str = ""

    @property
    def row(self):
        return f"{NETWORKS.get(self.network, self.network)} {DATASETS[self.dataset]}"

    def all_options(self):
        return {**dict(self.options), **dict(self.training), **dict(self.more_options)}

    @property
    def title(self):
        more = f", seed {self.seed}" if self.seed is not None else ""
        more += f", {self.energy}" if self.energy else ""
        return f"{self.row}, {self.method}, {self.bits} bit{more}"

    @property
    def is_trained(self):
        return self.kind in (QAT, EXACT)

    @property
    def quantizers(self):
        """Those of weights and activations, of ordinary networks that are trained with them:
        "post-asq"; else an empty text."""
        options = dict(self.options)
        if "weight_quantizer" not in options:
            return ""
        return f"{options['weight_quantizer']}-{options['activation_quantizer']}"


@dataclass
class Outcome:
    """What became of a cell: a run of results.json, or the reason why there is none."""

    run: dict = None  # of several seeds the first one's
    runs: dict = field(default_factory=dict)  # by seed, of a cell that was trained with several
    reason: str = ""
    notes: list = field(default_factory=list)
    float_accuracy: float = None
    seconds: float = 0  # machine time, that of a kept result included
    package: object = None  # path, qat only
    losses: dict = field(default_factory=dict)  # qat: the training's in its last epoch, by seed


def accuracies(outcome):
    """Of all seeds, in their order."""
    runs = list(outcome.runs.values()) or ([outcome.run] if outcome.run else [])
    return [run["accuracy_percent"] for run in runs if run["accuracy_percent"] is not None]


def accuracy(cell, outcomes):
    """Of several seeds the mean."""
    outcome = outcomes[cell]
    if cell.kind == FLOAT:
        return outcome.float_accuracy
    found = accuracies(outcome)
    return statistics.fmean(found) if found else None


def accuracy_spread(cell, outcomes):
    """Sample standard deviation over the seeds."""
    found = accuracies(outcomes[cell])
    return statistics.stdev(found) if len(found) > 1 else None


def training_loss(cell, outcomes):
    """Mean over the seeds."""
    found = list(outcomes[cell].losses.values())
    return statistics.fmean(found) if found else None


def points_lost(cell, outcomes):
    """Against the float accuracy that the checkpoint records."""
    outcome = outcomes[cell]
    ours = accuracy(cell, outcomes)
    if cell.kind == FLOAT or ours is None or outcome.float_accuracy is None:
        return None
    return outcome.float_accuracy - ours


def field_of_run(name):
    def value(cell, outcomes):
        outcome = outcomes[cell]
        return outcome.run.get(name) if outcome.run else None
    return value


def traffic(components, actions):
    """Bytes an image that these components moved, in KiB."""
    def value(cell, outcomes):
        run = outcomes[cell].run
        if not run or "activity_per_image" not in run:
            return None
        bits = sum(entry["count"] * entry["bits_a"] for entry in run["activity_per_image"]
                   if entry["component"] in components and entry["action"] in actions)
        return bits / 8 / 1024
    return value


ARITHMETIC_ACTIONS = ("add", "absolute_difference", "multiply", "shift")
INNER_COMPONENTS = ("pe_array", "read_quantizer", "scale_unit", "vector_unit")


def operations(run):
    """Arithmetic operations an image outside of the edge array, as the models counted them."""
    return sum(entry["count"] for entry in run.get("activity_per_image", [])
               if entry["component"] in INNER_COMPONENTS and entry["action"] in ARITHMETIC_ACTIONS)


@dataclass(frozen=True)
class Measure:
    unit: str
    value: object  # (cell, outcomes) → number or None
    form: str = "{:.2f}"


ACCURACY = Measure("%", accuracy)
SPREAD = Measure("points spread", accuracy_spread)
POINTS_LOST = Measure("points lost", points_lost)
TRAINING_LOSS = Measure("training loss", training_loss, "{:.4f}")
CYCLES = Measure("cycles", field_of_run("cycles_per_image"), "{:.0f}")
ENERGY = Measure("µJ", field_of_run("energy_per_image_uj"), "{:.1f}")
DRAM_TRAFFIC = Measure("KiB DRAM", traffic(("dram",), ("dram_read", "dram_write")), "{:.1f}")
SRAM_TRAFFIC = Measure(
    "KiB SRAM", traffic(("activation_sram", "weight_sram", "parameter_sram"),
                        ("sram_read", "sram_write")), "{:.1f}")
COST = (CYCLES, ENERGY)
