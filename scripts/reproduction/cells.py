"""What a table is made of: cells, each one network quantized in one way and run on the hardware."""

from dataclasses import dataclass, field

NETWORKS = {"vgg-small": "VGG-Small", "resnet20": "ResNet-20", "resnet32": "ResNet-32",
            "resnet18": "ResNet-18", "lenet": "LeNet"}
DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "fashion-mnist": "Fashion-MNIST",
            "imagenet": "ImageNet"}

FLOAT, PTQ, QAT, CITED = "float", "ptq", "qat", "cited"


@dataclass(frozen=True)
class Cell:
    """`kind`: float (the checkpoint's own accuracy), ptq (`abacus-train quantize`), qat
    (`abacus-train qat`) or cited (a published figure without a counterpart of ours)."""

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
    note: str = ""

    @property
    def row(self):
        return f"{NETWORKS.get(self.network, self.network)} {DATASETS[self.dataset]}"

    def all_options(self):
        return {**dict(self.options), **dict(self.training), **dict(self.more_options)}

    @property
    def title(self):
        return f"{self.row}, {self.method}, {self.bits} bit"


@dataclass
class Outcome:
    """What became of a cell: a run of results.json, or the reason why there is none."""

    run: dict = None
    reason: str = ""
    notes: list = field(default_factory=list)
    float_accuracy: float = None
    seconds: float = 0  # machine time, that of a kept result included
    package: object = None  # path, qat only


def accuracy(cell, outcomes):
    outcome = outcomes[cell]
    if cell.kind == FLOAT:
        return outcome.float_accuracy
    return outcome.run["accuracy_percent"] if outcome.run else None


def points_lost(cell, outcomes):
    """Against the float accuracy that the checkpoint records."""
    outcome = outcomes[cell]
    if cell.kind == FLOAT or not outcome.run or outcome.float_accuracy is None:
        return None
    return outcome.float_accuracy - outcome.run["accuracy_percent"]


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
POINTS_LOST = Measure("points lost", points_lost)
CYCLES = Measure("cycles", field_of_run("cycles_per_image"), "{:.0f}")
ENERGY = Measure("µJ", field_of_run("energy_per_image_uj"), "{:.1f}")
DRAM_TRAFFIC = Measure("KiB DRAM", traffic(("dram",), ("dram_read", "dram_write")), "{:.1f}")
SRAM_TRAFFIC = Measure(
    "KiB SRAM", traffic(("activation_sram", "weight_sram", "parameter_sram"),
                        ("sram_read", "sram_write")), "{:.1f}")
COST = (CYCLES, ENERGY)
