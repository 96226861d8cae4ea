"""Packages of `abacus-train qat`: under which name they lie, how they are made, and whether a ready
one is what the table wants."""

import csv
import pathlib

from abacus.cells.cell import Cell, Outcome
from abacus.cells.scenario import ALL_IMAGES
from abacus.cells.settings import Settings
from abacus.checkpoint import Checkpoint
from abacus.errors import AbacusError
from abacus.output import make_folder
from abacus.package import read_network, table_fraction_bits
from abacus.programs.process import run
from abacus.programs.programs import Programs
from abacus.programs.recipe import Recipe, dashed, read_recipe

USUAL_EPOCHS = 50  # where no paper says how long
USUAL_STORAGE_BITS = 8
# The paper's settings, which a package's name leaves out.
UNNAMED = (
    ("alpha", "0.999"),
    ("groups", "4"),
    ("weight_clamp", "true"),
    ("activation_clamp", "true"),
    ("group_method", "max"),
)


def slug(text: str) -> str:
    """As a file's name."""
    return "".join(c if c.isalnum() or c in "-." else "-" for c in text)


def epochs(settings: Settings, cell: Cell) -> int:
    """Of a training: the user's, else the paper's."""
    given = settings.qat_epochs
    return given if given is not None else cell.paper_epochs or USUAL_EPOCHS


def package_file(settings: Settings, cell: Cell) -> pathlib.Path:
    """Where the package of a trained cell is or will be. The name tells what the table wants, not
    how it was trained."""
    own = {name: value for name, value in cell.options if (name, value) not in UNNAMED}
    for name in ("weight_quantizer", "activation_quantizer"):
        own.pop(name, None)
    parts = [
        cell.network,
        cell.dataset,
        cell.quantizers or cell.scheme,
        f"w{cell.bits}a{cell.bits}",
    ]
    parts += [f"{dashed(name)}-{value}" for name, value in sorted(own.items())]
    if cell.storage_bits != USUAL_STORAGE_BITS:
        parts.append(f"stored{cell.storage_bits}")
    if cell.seed is not None:
        parts.append(f"seed{cell.seed}")
    return settings.packages / (slug("-".join(parts)) + ".safetensors")


def make_package(
    settings: Settings,
    programs: Programs,
    cell: Cell,
    checkpoint: Checkpoint | None,
    outcome: Outcome,
) -> pathlib.Path:
    """The cell's package, trained if it is not there, and checked; the outcome's notes tell how it
    was trained. A package that is there needs no checkpoint."""
    file = package_file(settings, cell)
    if not file.is_file():
        assert checkpoint is not None
        train(settings, programs, cell, checkpoint, file)
    network = read_network(file)
    check_origin(programs, cell, checkpoint, file, network["origin"])
    check_recipe(cell, file, read_recipe(programs, file), outcome)
    outcome.package = file
    note_course(cell, file.with_suffix(".csv"), outcome)
    bits = table_fraction_bits(network)
    if bits and cell.fraction_bits is None:
        outcome.notes.append(f"tables of {' and '.join(map(str, bits))} fraction bits")
    return file


def train(
    settings: Settings, programs: Programs, cell: Cell, checkpoint: Checkpoint, file: pathlib.Path
) -> None:
    """Runs the training, or goes on with it."""
    command: list[object] = [
        programs.trainer(),
        "qat",
        "--checkpoint",
        checkpoint.file,
        "--scheme",
        cell.scheme,
        "--weight-bits",
        cell.bits,
        "--activation-bits",
        cell.bits,
        "--storage-bits",
        cell.storage_bits,
        "--epochs",
        epochs(settings, cell),
    ]
    if cell.seed is not None:
        command += ["--seed", cell.seed]
    if settings.evaluate:
        command += ["--evaluate", settings.images or ALL_IMAGES]
    command += [f"--{dashed(name)}={value}" for name, value in cell.all_options().items()]
    make_folder(file.parent)
    run(command + programs.data_arguments() + ["--resume", "--out", file])
    if not file.is_file():
        raise AbacusError(f"abacus-train qat ended well but left no package {file}")


def check_origin(
    programs: Programs,
    cell: Cell,
    checkpoint: Checkpoint | None,
    file: pathlib.Path,
    origin: dict[str, object],
) -> None:
    """Refuses a package that is not what its name says, or of another checkpoint."""
    expected = {
        "network": cell.network,
        "dataset": cell.dataset,
        "weight_bits": cell.bits,
        "activation_bits": cell.bits,
        "scheme": f"{cell.quantizers or cell.scheme}-qat",
    }
    for name, value in expected.items():
        if origin.get(name) != value:
            raise AbacusError(
                f"{file}: found {name} {origin.get(name)}; by its name it should have {value}"
            )
    if checkpoint is not None and origin.get("checkpoint_sha256") != programs.sha256(
        checkpoint.file
    ):
        raise AbacusError(f"{file}: it was trained from another checkpoint than {checkpoint.file}")


def check_recipe(cell: Cell, file: pathlib.Path, recipe: Recipe, outcome: Outcome) -> None:
    """A ready package is another training's where its recipe is not what the user asked for; what
    the table alone wants otherwise goes into the notes, as the epochs do."""
    if cell.seed is not None:
        if not recipe.tells("seed"):
            outcome.notes.append("the package does not tell its seed")
        elif not recipe.agrees("seed", str(cell.seed)):
            raise AbacusError(
                f"{file}: found seed {recipe.text('seed')}; by its name it should have {cell.seed}"
            )
    if not recipe.options:
        outcome.notes.append("the package does not tell how it was trained")
        return
    for name, wanted in cell.more_options:
        if recipe.tells(name) and not recipe.agrees(name, wanted):
            raise AbacusError(
                f"{file}: it was trained with {dashed(name)} {recipe.text(name)}, asked for "
                f"is {wanted}; take another folder for --packages"
            )
    for name, wanted in cell.training:
        if recipe.tells(name) and not recipe.agrees(name, wanted):
            outcome.notes.append(
                f"{dashed(name)} {recipe.text(name)} (the table's recipe: {wanted})"
            )


def note_course(cell: Cell, metrics: pathlib.Path, outcome: Outcome) -> None:
    """How long the training was and how it ended, by its metrics file."""
    done, seconds, loss = training_course(metrics)
    outcome.seconds += seconds
    if loss is not None:
        outcome.losses[cell.seed] = loss
    note = (
        f"{done} epoch{'s' if done > 1 else ''}" if done else f"epochs unknown: no {metrics.name}"
    )
    if cell.paper_epochs not in (0, done):
        note += f" (the paper: {cell.paper_epochs})"
    outcome.notes.append(note)


def training_course(file: pathlib.Path) -> tuple[int, float, float | None]:
    """Epochs, seconds and the last epoch's loss of a training, by its metrics file; (0, 0, None)
    where there is none."""
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return (
            len(rows),
            sum(float(row.get("seconds") or 0) for row in rows),
            float(rows[-1]["train_loss"]),
        )
    except (OSError, ValueError, KeyError, IndexError):
        return 0, 0, None
