"""Makes the cells of a table: package, simulation, result. What is finished is kept under its
content's hash, so that a later call goes on where an earlier one ended."""

import csv
import hashlib
import json
import pathlib
import re
import sys
import time

from . import programs
from .cells import CITED, EXACT, FLOAT, NETWORKS, PTQ, SYNTHETIC, Outcome
from .errors import ReproductionError
from .files import duration_text, write_whole
from .safetensors import (package_origin, package_recipe, table_fraction_bits,
                          with_fraction_bits)


IMAGENET = ("image = [3, 224, 224]", "classes = 1000")  # random images of its size


def images_of(dataset):
    """Of a scenario."""
    return IMAGENET if dataset == "imagenet" else (f"dataset = {toml_text(dataset)}",)


USUAL_EPOCHS = 50  # where no paper says how long


def toml_text(value):
    return json.dumps(str(value), ensure_ascii=False)  # a TOML basic string takes JSON's escapes


def toml_value(value):
    """An option as a scenario spells it: numbers and truths bare, texts quoted."""
    if value in ("true", "false"):
        return value
    try:
        float(value)
        return value
    except ValueError:
        return toml_text(value)


def slug(text):
    return "".join(c if c.isalnum() or c in "-." else "-" for c in text)


class Runner:
    """`settings`: out, packages (folders), data (folder or None), images, jobs, threads,
    qat_epochs, hardware, energy, evaluate, keep_going, bin."""

    def __init__(self, settings, checkpoints):
        self.settings = settings
        self.checkpoints = checkpoints
        self._hashes = {}
        self._abacus = None
        self._trainer = None

    # -- the programs, found when the first cell needs them

    def abacus(self):
        if self._abacus is None:
            self._abacus = programs.find_program("abacus", self.settings.bin)
        return self._abacus

    def trainer(self):
        if self._trainer is None:
            self._trainer = programs.find_program("abacus-train", self.settings.bin)
        return self._trainer

    def sha256(self, file):
        if file not in self._hashes:
            self._hashes[file] = programs.sha256_of(file)
        return self._hashes[file]

    def data_arguments(self):
        return ["--data", self.settings.data] if self.settings.data else []

    # -- what a cell needs

    def missing(self, cell):
        """Why the cell cannot be made, or an empty text."""
        if cell.kind == CITED:
            return cell.note
        if cell.kind == SYNTHETIC or (cell.is_trained and self.package_file(cell).is_file()):
            return ""
        if (cell.network, cell.arithmetic, cell.dataset) not in self.checkpoints:
            return (f"no checkpoint of {NETWORKS.get(cell.network, cell.network)} {cell.arithmetic} "
                    f"{cell.dataset} was given (--checkpoint)")
        if cell.is_trained and not cell.train:
            return "trained further only up to 4 bits, as in the paper"
        if cell.is_trained and self.epochs(cell) == 0:
            return f"not trained (--qat-epochs 0) and no {self.package_file(cell).name}"
        return ""

    def epochs(self, cell):
        """Of a training: the user's, else the paper's."""
        given = self.settings.qat_epochs
        return given if given is not None else cell.paper_epochs or USUAL_EPOCHS

    def package_file(self, cell):
        """Where the package of a QAT cell is or will be. The name tells what the table wants, not
        how it was trained."""
        own = {name: value for name, value in cell.options if (name, value) not in
               (("alpha", "0.999"), ("groups", "4"), ("weight_clamp", "true"),
                ("activation_clamp", "true"), ("group_method", "max"))}
        for name in ("weight_quantizer", "activation_quantizer"):
            own.pop(name, None)
        parts = [cell.network, cell.dataset, cell.quantizers or cell.scheme,
                 f"w{cell.bits}a{cell.bits}"]
        parts += [f"{name.replace('_', '-')}-{value}" for name, value in sorted(own.items())]
        if cell.storage_bits != 8:
            parts.append(f"stored{cell.storage_bits}")
        if cell.seed is not None:
            parts.append(f"seed{cell.seed}")
        return self.settings.packages / (slug("-".join(parts)) + ".safetensors")

    def scenario_text(self, cell, source):
        settings = self.settings
        lines = [f"name = {toml_text(cell.title)}", f"network = {toml_text(cell.network)}",
                 f"arithmetic = {toml_text(cell.runs_as or cell.arithmetic)}",
                 *images_of(cell.dataset), source,
                 f"images = {settings.images if cell.images is None else cell.images}",
                 'level = "approximate"', "timed_images = 1",
                 f"hardware.preset = {toml_text(settings.hardware)}"]
        lines += [f"hardware.{name} = {toml_value(value)}" for name, value in cell.hardware]
        lines.append(f"energy.table = {toml_text(cell.energy or settings.energy)}")
        if cell.kind == PTQ:
            options = cell.all_options()
            if settings.evaluate and cell.images is None:
                options["evaluate"] = str(settings.images or 10000)
            lines += ["", "[quantization]", f"scheme = {toml_text(cell.scheme)}",
                      f"weight_bits = {cell.bits}", f"activation_bits = {cell.bits}",
                      f"storage_bits = {cell.storage_bits}"]
            lines += [f"options.{name} = {toml_value(value)}" for name, value in options.items()]
        if cell.kind == SYNTHETIC:
            lines += ["", "[quantization]", f"weight_bits = {cell.bits}",
                      f"activation_bits = {cell.bits}", f"storage_bits = {cell.storage_bits}"]
            lines += [f"{name} = {toml_value(value)}" for name, value in cell.options]
        return "\n".join(lines) + "\n"

    # -- making it

    def make(self, cell):
        outcome = Outcome()
        checkpoint = self.checkpoints.get((cell.network, cell.arithmetic, cell.dataset))
        if checkpoint is not None:
            outcome.float_accuracy = checkpoint.accuracy
        outcome.reason = self.missing(cell)
        if outcome.reason or cell.kind == FLOAT:
            return outcome
        if cell.is_trained:
            self.make_package(cell, checkpoint, outcome)
        if cell.kind == EXACT:
            return self.run_exactly(cell, outcome)
        if cell.is_trained:
            file, key = self.package_to_run(cell, outcome.package), "package"
        elif cell.kind == PTQ:
            file, key = checkpoint.file, "checkpoint"
        if cell.kind == SYNTHETIC:
            content = source = self.scenario_text(cell, 'weights = "synthetic"')
        else:
            content = self.scenario_text(cell, f"{key} = {toml_text(self.sha256(file))}")
            source = self.scenario_text(cell, f"{key} = {toml_text(file.resolve())}")
        identity = hashlib.sha256("\n".join(
            [content, self.sha256(self.abacus()), self.sha256(self.trainer())
             if cell.kind == PTQ else "", *self.presets(cell)]).encode()).hexdigest()[:12]
        folder = self.settings.out / "runs" / f"{slug(cell.title.lower())}-{identity}"
        results_file = folder / "results.json"
        if not results_file.is_file():
            scenario = folder / "scenario.toml"
            write_whole(scenario, source)
            programs.run([self.abacus(), "simulate", scenario, "--out", folder, "--cache",
                          self.settings.out / "packages"]
                         + self.data_arguments() + ["--jobs", self.settings.jobs])
        self.read_results(results_file, outcome)
        return outcome

    def presets(self, cell):
        """Hashes of the files behind the names of array and energy table, which may be edited."""
        def file(folder, name):
            if "/" in name or name.endswith(".toml"):
                return pathlib.Path(name)
            return programs.resource_folder() / "scenarios" / folder / f"{name}.toml"

        files = (file("hardware", self.settings.hardware),
                 file("energy", cell.energy or self.settings.energy))
        return [self.sha256(one) for one in files if one.is_file()]

    def run_exactly(self, cell, outcome):
        images = self.settings.images if cell.images is None else cell.images
        identity = hashlib.sha256("\n".join(
            [self.sha256(outcome.package), str(images), self.sha256(self.trainer())]).encode())
        file = (self.settings.out / "runs"
                / f"{slug(cell.title.lower())}-{identity.hexdigest()[:12]}.json")
        if not file.is_file():
            start = time.monotonic()
            said = programs.run([self.trainer(), "evaluate", "--package", outcome.package,
                                 "--exponents", "exact", "--images", images]
                                + self.data_arguments())
            found = re.search(r"([0-9.]+) % of ([0-9]+) images", said)
            if not found:
                raise ReproductionError("abacus-train evaluate said no accuracy but: "
                                        + said.strip())
            write_whole(file, json.dumps({"accuracy_percent": float(found[1]),
                                          "images": int(found[2]),
                                          "seconds": round(time.monotonic() - start, 3)}) + "\n")
        try:
            outcome.run = json.loads(file.read_text(encoding="utf-8"))
            outcome.seconds += outcome.run["seconds"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ReproductionError(f"{file}: no kept accuracy: {error}") from None
        return outcome

    def describe(self, network, dataset):
        """The layers' shapes and counts by name, as `abacus describe` tells them; "total" is one."""
        identity = hashlib.sha256(self.sha256(self.abacus()).encode()).hexdigest()[:12]
        file = self.settings.out / "runs" / f"layers-{network}-{dataset}-{identity}.csv"
        if not file.is_file():
            images = (["--image", "3,224,224", "--classes", "1000"] if dataset == "imagenet"
                      else ["--dataset", dataset])
            file.parent.mkdir(parents=True, exist_ok=True)
            programs.run([self.abacus(), "describe", "--network", network, *images, "--csv", file])
        return read_layers(file)

    def package_to_run(self, cell, package):
        """The package itself, or a copy of it whose lookup tables have other fraction bits."""
        if cell.fraction_bits is None:
            return package
        name = f"{package.stem}-fraction{cell.fraction_bits}-{self.sha256(package)[:12]}.safetensors"
        copy = self.settings.out / "packages" / name
        with_fraction_bits(package, cell.fraction_bits, copy)
        return copy

    def read_results(self, file, outcome):
        try:
            results = json.loads(file.read_text(encoding="utf-8"))
            outcome.run = results["runs"][0]
            outcome.seconds += results["times"]["seconds"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ReproductionError(f"{file}: no results file of abacus simulate: {error}") from None
        recorded = outcome.run.get("float_accuracy_percent")
        if recorded is not None:
            outcome.float_accuracy = recorded
        fake = outcome.run.get("fake_quantized_accuracy_percent")
        if fake is not None:
            outcome.notes.append(f"fake-quantized {fake:.2f} %")

    def make_package(self, cell, checkpoint, outcome):
        file = self.package_file(cell)
        if not file.is_file():
            command = [self.trainer(), "qat", "--checkpoint", checkpoint.file, "--scheme",
                       cell.scheme, "--weight-bits", cell.bits, "--activation-bits", cell.bits,
                       "--storage-bits", cell.storage_bits, "--epochs", self.epochs(cell)]
            if cell.seed is not None:
                command += ["--seed", cell.seed]
            if self.settings.evaluate:
                command += ["--evaluate", self.settings.images or 10000]
            for name, value in cell.all_options().items():
                command.append(f"--{name.replace('_', '-')}={value}")
            file.parent.mkdir(parents=True, exist_ok=True)
            programs.run(command + self.data_arguments() + ["--resume", "--out", file])
            if not file.is_file():
                raise ReproductionError(f"abacus-train qat ended well but left no package {file}")
        origin = package_origin(file)
        expected = {"network": cell.network, "dataset": cell.dataset, "weight_bits": cell.bits,
                    "activation_bits": cell.bits,
                    "scheme": f"{cell.quantizers or cell.scheme}-qat"}
        for name, value in expected.items():
            if origin.get(name) != value:
                raise ReproductionError(f"{file}: found {name} {origin.get(name)}; by its name it "
                                        f"should have {value}")
        if checkpoint is not None and origin.get("checkpoint_sha256") != self.sha256(checkpoint.file):
            raise ReproductionError(f"{file}: it was trained from another checkpoint than "
                                    f"{checkpoint.file}")
        if cell.seed is not None:
            self.check_seed(cell, file, outcome)
        self.check_recipe(cell, file, outcome)
        outcome.package = file
        epochs, seconds, loss = training_course(file.with_suffix(".csv"))
        outcome.seconds += seconds
        if loss is not None:
            outcome.losses[cell.seed] = loss
        note = (f"{epochs} epoch{'s' if epochs > 1 else ''}" if epochs else
                f"epochs unknown: no {file.with_suffix('.csv').name}")
        if cell.paper_epochs not in (0, epochs):
            note += f" (the paper: {cell.paper_epochs})"
        outcome.notes.append(note)
        bits = table_fraction_bits(file)
        if bits and cell.fraction_bits is None:
            outcome.notes.append(f"tables of {' and '.join(map(str, bits))} fraction bits")


    def check_recipe(self, cell, file, outcome):
        """A ready package is another training's where its recipe is not what the user asked for; what
        the table alone wants otherwise goes into the notes, as the epochs do."""
        recipe = package_recipe(file)
        if not recipe:
            outcome.notes.append("the package does not tell how it was trained")
            return
        for name, wanted in cell.more_options:
            found = found_in(recipe, name)
            if found is not None and not same_value(found, wanted):
                raise ReproductionError(
                    f"{file}: it was trained with {name.replace('_', '-')} {shown(found)}, asked for "
                    f"is {wanted}; take another folder for --packages")
        for name, wanted in cell.training:
            found = found_in(recipe, name)
            if found is not None and not same_value(found, wanted):
                outcome.notes.append(f"{name.replace('_', '-')} {shown(found)} (the table's recipe: "
                                     f"{wanted})")

    @staticmethod
    def check_seed(cell, file, outcome):
        recipe = package_recipe(file)
        if "seed" not in recipe:
            outcome.notes.append("the package does not tell its seed")
        elif recipe["seed"] != str(cell.seed):
            raise ReproductionError(f"{file}: found seed {recipe['seed']}; by its name it should "
                                    f"have {cell.seed}")


# What recipes leave out where it is the default.
LEFT_OUT = {"precision": "float32", "optimizer": "sgd", "adder-gradient": "addernet",
            "train-images": "0", "fraction-bits": "the default", "post-levels": "0",
            "adapter-start": "one"}


def found_in(recipe, name):
    """None where the recipe does not tell."""
    name = name.replace("_", "-")
    return recipe.get(name, LEFT_OUT.get(name))


def number_of(text):
    text = {"true": "1", "false": "0"}.get(str(text), str(text))
    try:
        return float.fromhex(text) if "0x" in text else float(text)
    except ValueError:
        return None


def same_value(found, wanted):
    """Recipes have 0x1.999999999999ap-4 for 0.1 and 1 for true."""
    numbers = number_of(found), number_of(wanted)
    return numbers[0] == numbers[1] if None not in numbers else found == str(wanted)


def shown(found):
    value = number_of(found)
    return found if value is None else f"{value:g}"


COUNTS = ("kernel", "taps", "weights", "biases", "output_channels", "adapter_weights",
          "adapter_biases", "adapter_operations")


def read_layers(file):
    """The file's lines by layer, the counts as numbers."""
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            layers = {line["layer"]: {**line, **{name: int(line[name] or 0) for name in COUNTS}}
                      for line in csv.DictReader(lines)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ReproductionError(f"{file}: no layers of abacus describe: {error}; needed: layer, "
                                f"{', '.join(COUNTS)}") from None
    if "total" not in layers:
        raise ReproductionError(f"{file}: no layers of abacus describe: no line \"total\"")
    return layers


def training_course(file):
    """Epochs, seconds and the last epoch's loss of a training, by its metrics file; (0, 0, None) where
    there is none."""
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return (len(rows), sum(float(row.get("seconds") or 0) for row in rows),
                float(rows[-1]["train_loss"]))
    except (OSError, ValueError, KeyError, IndexError):
        return 0, 0, None


def make_all(runner, cells, keep_going):
    """Outcomes by cell, in the cells' order; a line of progress before each cell that takes time."""
    outcomes = {}
    spent = {}  # by kind: seconds of the cells made in this call
    work = [cell for cell in cells if cell.kind not in (FLOAT, CITED) and not runner.missing(cell)]
    finished = 0
    for cell in cells:
        start = time.monotonic()
        if cell in work:
            left = time_left(work[finished:], spent)
            print(f"[{finished + 1}/{len(work)}] {cell.title}"
                  + (f"; about {duration_text(left)} left" if left is not None else ""),
                  file=sys.stderr, flush=True)
        try:
            outcomes[cell] = runner.make(cell)
        except ReproductionError as error:
            if not keep_going:
                raise ReproductionError(f"{cell.title}: {error}") from None
            outcomes[cell] = Outcome(reason=f"failed: {error}")
        if cell in work:
            finished += 1
            seconds = time.monotonic() - start
            if seconds > 1:  # not a kept result
                spent.setdefault(cell.kind, []).append(seconds)
    return outcomes


def time_left(cells, spent):
    """By the mean of the cells of each kind made so far; None while a kind has none."""
    left = 0
    for cell in cells:
        if cell.kind not in spent:
            return None
        left += sum(spent[cell.kind]) / len(spent[cell.kind])
    return left
