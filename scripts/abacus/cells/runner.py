"""Makes the cells of a table: package, simulation, result. What is finished is kept under its
content's hash, so that a later call goes on where an earlier one ended."""

import hashlib
import json
import pathlib
import sys
import time
from collections.abc import Sequence

from abacus.cells.cell import CITED, EXACT, FLOAT, PTQ, SYNTHETIC, Cell, Outcome, Outcomes
from abacus.cells.scenario import image_arguments, preset_files, scenario_text, toml_text
from abacus.cells.settings import Settings
from abacus.cells.training import epochs, make_package, package_file, slug
from abacus.checkpoint import Checkpoints
from abacus.errors import AbacusError
from abacus.files import duration_text
from abacus.json_value import JsonValue
from abacus.output import write_output
from abacus.package import read_network, with_fraction_bits
from abacus.programs.describe import LayerCosts, describe
from abacus.programs.evaluate import evaluate_exactly
from abacus.programs.process import run
from abacus.programs.programs import Programs
from abacus.report.reading import results_of
from abacus.results import read_results


class Runner:
    """Everything that cells are made with."""

    def __init__(self, settings: Settings, checkpoints: Checkpoints) -> None:
        self.settings = settings
        self.checkpoints = checkpoints
        self.programs = Programs(settings.bin, settings.data)

    def missing(self, cell: Cell) -> str:
        """Why the cell cannot be made, or an empty text."""
        if cell.kind == CITED:
            return cell.note
        file = package_file(self.settings, cell)
        if cell.kind == SYNTHETIC or (cell.is_trained and file.is_file()):
            return ""
        if (cell.network, cell.arithmetic, cell.dataset) not in self.checkpoints:
            return (
                f"no checkpoint of {cell.network_name} {cell.arithmetic} "
                f"{cell.dataset} was given (--checkpoint)"
            )
        if cell.is_trained and not cell.train:
            return "trained further only up to 4 bits, as in the paper"
        if cell.is_trained and epochs(self.settings, cell) == 0:
            return f"not trained (--qat-epochs 0) and no {file.name}"
        return ""

    def make(self, cell: Cell) -> Outcome:
        """The cell's outcome; AbacusError where it fails."""
        outcome = Outcome()
        checkpoint = self.checkpoints.get((cell.network, cell.arithmetic, cell.dataset))
        if checkpoint is not None:
            outcome.float_accuracy = checkpoint.accuracy
        outcome.reason = self.missing(cell)
        if outcome.reason or cell.kind == FLOAT:
            return outcome
        if cell.is_trained:
            package = self.make_package(cell, outcome)
            if cell.kind == EXACT:
                self.run_exactly(cell, package, outcome)
                return outcome
            self.simulate(cell, "package", self.package_to_run(cell, package), outcome)
        elif cell.kind == PTQ:
            assert checkpoint is not None  # else the cell would be missing
            self.simulate(cell, "checkpoint", checkpoint.file, outcome)
        else:
            self.simulate(cell, "weights", None, outcome)
        return outcome

    def make_package(self, cell: Cell, outcome: Outcome) -> pathlib.Path:
        """The package of a trained cell."""
        checkpoint = self.checkpoints.get((cell.network, cell.arithmetic, cell.dataset))
        return make_package(self.settings, self.programs, cell, checkpoint, outcome)

    def package_to_run(self, cell: Cell, package: pathlib.Path) -> pathlib.Path:
        """The package itself, or a copy of it whose lookup tables have other fraction bits."""
        if cell.fraction_bits is None:
            return package
        identity = self.programs.sha256(package)[:12]
        name = f"{package.stem}-fraction{cell.fraction_bits}-{identity}.safetensors"
        copy = self.settings.out / "packages" / name
        with_fraction_bits(package, cell.fraction_bits, copy)
        return copy

    def simulate(self, cell: Cell, key: str, file: pathlib.Path | None, outcome: Outcome) -> None:
        """Runs the cell on the hardware models. `key`: what the scenario calls the file; without
        one the weights are random."""
        settings, programs = self.settings, self.programs
        arithmetic = cell.arithmetic
        if file is not None and key == "package":
            arithmetic = read_network(file)["origin"]["arithmetic"]

        def text(source: object) -> str:
            return scenario_text(settings, cell, arithmetic, f"{key} = {toml_text(source)}")

        if file is None:
            content = source = text("synthetic")
        else:
            content, source = text(programs.sha256(file)), text(file.resolve())
        decides = [
            content,
            programs.sha256(programs.abacus()),
            programs.sha256(programs.trainer()) if cell.kind == PTQ else "",
            *map(programs.sha256, preset_files(settings, cell)),
        ]
        folder = settings.runs / f"{slug(cell.title.lower())}-{identity_of(decides)}"
        results = folder / "results.json"
        if not results.is_file():
            scenario = folder / "scenario.toml"
            write_output(scenario, source)
            run(
                [programs.abacus(), "simulate", scenario, "--out", folder]
                + ["--cache", settings.out / "packages"]
                + programs.data_arguments()
                + ["--jobs", settings.jobs]
            )
        take_results(results, outcome)

    def run_exactly(self, cell: Cell, package: pathlib.Path, outcome: Outcome) -> None:
        """By the reference executor, in exact arithmetic."""
        programs = self.programs
        images = self.settings.images if cell.images is None else cell.images
        decides = [programs.sha256(package), str(images), programs.sha256(programs.trainer())]
        file = self.settings.runs / f"{slug(cell.title.lower())}-{identity_of(decides)}.json"
        if not file.is_file():
            start = time.monotonic()
            found = evaluate_exactly(programs, package, images)
            kept = {
                "accuracy_percent": found.accuracy_percent,
                "images": found.images,
                "seconds": round(time.monotonic() - start, 3),
            }
            write_output(file, json.dumps(kept) + "\n")
        try:
            outcome.run = dict(json.loads(file.read_text(encoding="utf-8")))
            outcome.seconds += outcome.run["seconds"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise AbacusError(f"{file}: no kept accuracy: {error}") from None

    def describe(self, network: str, dataset: str) -> dict[str, LayerCosts]:
        """The layers' shapes and counts by name."""
        arguments = image_arguments(dataset)
        return describe(self.programs, network, arguments, dataset, self.settings.runs)


def identity_of(decides: Sequence[str]) -> str:
    """Of all that decides a result."""
    return hashlib.sha256("\n".join(decides).encode()).hexdigest()[:12]


def take_results(file: pathlib.Path, outcome: Outcome) -> None:
    """A scenario's one run into its cell's outcome."""
    results = read_results(file)
    outcome.seconds += results_of(JsonValue(str(file), "", results)).seconds
    outcome.run = dict(results["runs"][0])
    recorded = outcome.run.get("float_accuracy_percent")
    if recorded is not None:
        outcome.float_accuracy = recorded
    fake = outcome.run.get("fake_quantized_accuracy_percent")
    if fake is not None:
        outcome.notes.append(f"fake-quantized {fake:.2f} %")


def make_all(runner: Runner, cells: list[Cell], keep_going: bool) -> Outcomes:
    """Outcomes by cell, in the cells' order; a line of progress before each that takes time."""
    outcomes: Outcomes = {}
    spent: dict[str, list[float]] = {}  # by kind: seconds of the cells made in this call
    work = [cell for cell in cells if cell.kind not in (FLOAT, CITED) and not runner.missing(cell)]
    finished = 0
    for cell in cells:
        start = time.monotonic()
        if cell in work:
            left = time_left(work[finished:], spent)
            print(
                f"[{finished + 1}/{len(work)}] {cell.title}"
                + (f"; about {duration_text(left)} left" if left is not None else ""),
                file=sys.stderr,
                flush=True,
            )
        try:
            outcomes[cell] = runner.make(cell)
        except AbacusError as error:
            if not keep_going:
                raise AbacusError(f"{cell.title}: {error}") from None
            outcomes[cell] = Outcome(reason=f"failed: {error}")
        if cell in work:
            finished += 1
            seconds = time.monotonic() - start
            if seconds > 1:  # not a kept result
                spent.setdefault(cell.kind, []).append(seconds)
    return outcomes


def time_left(cells: list[Cell], spent: dict[str, list[float]]) -> float | None:
    """By the mean of the cells of each kind made so far; None while a kind has none."""
    left = 0.0
    for cell in cells:
        if cell.kind not in spent:
            return None
        left += sum(spent[cell.kind]) / len(spent[cell.kind])
    return left
