"""The paper's figures from our own data: 1, 2 and 4 from `abacus-train statistics`, 5 from its
table and the trainings' metrics."""

import csv

from . import asq_figures, programs
from .cells import DATASETS, NETWORKS, PTQ, QAT
from .errors import ReproductionError
from .files import write_whole
from .published import Published
from .statistics import read_statistics

LAYER = "layer1.1.conv2"  # the paper's example (section 2.2)
NETWORK = "resnet20"


def make(name, settings, checkpoints, outcomes):
    FIGURES[name](name, settings, checkpoints, outcomes)


def draw(name, settings, figure):
    """Both formats: SVG for pages, PNG for viewers."""
    from paper_figures import save
    for file in (settings.out / f"{name}.svg", settings.out / f"{name}.png"):
        partial = file.with_name(f".{file.name}.partial{file.suffix}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            save(figure, partial)
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise ReproductionError(f"{file}: {error.strerror}") from None
        print(file)


def statistics(settings, checkpoint):
    """The checkpoint's statistics, made once and kept."""
    trainer = programs.find_program("abacus-train", settings.bin)
    identity = "-".join(programs.sha256_of(file)[:12] for file in (checkpoint.file, trainer))
    file = settings.out / "runs" / f"statistics-{'-'.join(checkpoint.key)}-{identity}.csv"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        data = ["--data", settings.data] if settings.data else []
        programs.run([trainer, "statistics", "--checkpoint", checkpoint.file, "--histogram", LAYER,
                      "--bins", "20000"]
                     + data + ["--out", file])
    return read_statistics(file)


def chosen(settings, checkpoints, arithmetic, needed=True):
    """The checkpoint of the first data set that has one."""
    for dataset in settings.dataset:
        if (NETWORK, arithmetic, dataset) in checkpoints:
            return checkpoints[NETWORK, arithmetic, dataset]
    if needed:
        raise ReproductionError(
            f"no checkpoint of {NETWORKS[NETWORK]} {arithmetic} {' or '.join(settings.dataset)} was "
            "given (--checkpoint)")
    return None


def name_of(checkpoint):
    return f"{NETWORKS[checkpoint.network]}, {DATASETS[checkpoint.dataset]}"


def figure1(name, settings, checkpoints, _outcomes):
    from paper_figures import shared_and_own_scales
    adder = chosen(settings, checkpoints, "adder")
    cnn = chosen(settings, checkpoints, "cnn", needed=False)
    draw(name, settings, shared_and_own_scales(
        statistics(settings, adder)[LAYER],
        statistics(settings, cnn)[LAYER] if cnn else None, f"{LAYER} of {name_of(adder)}"))


def figure2(name, settings, checkpoints, _outcomes):
    from paper_figures import ranges
    adder = chosen(settings, checkpoints, "adder")
    draw(name, settings, ranges(statistics(settings, adder), LAYER, name_of(adder)))


def figure4(name, settings, checkpoints, _outcomes):
    from paper_figures import distributions
    adder = chosen(settings, checkpoints, "adder")
    draw(name, settings, distributions(statistics(settings, adder)[LAYER],
                                       f"{LAYER} of {name_of(adder)}"))


def metrics(package):
    try:
        with open(package.with_suffix(".csv"), encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError:
        return []


def figure5(name, settings, _checkpoints, outcomes):
    from paper_figures import losses_and_courses
    losses, courses, curve_lines = {}, {}, []
    for cell, outcome in outcomes.items():
        if cell.kind == PTQ and outcome.run and outcome.float_accuracy is not None:
            lost = outcome.float_accuracy - outcome.run["accuracy_percent"]
            losses.setdefault(DATASETS[cell.dataset], {}).setdefault(cell.method, {})[
                cell.bits] = lost
        if cell.kind == QAT and outcome.package:
            course = metrics(outcome.package)
            if course:
                courses.setdefault(DATASETS[cell.dataset], {})[cell.method] = course
                for line in course:
                    curve_lines.append([cell.row, cell.method, line["epoch"], line["train_loss"],
                                        line["train_accuracy_percent"],
                                        line["validation_accuracy_percent"]])
    header = ["row", "method", "epoch", "train_loss", "train_accuracy_percent",
              "validation_accuracy_percent"]
    write_whole(settings.out / f"{name}-courses.csv",
                "\n".join(",".join(line) for line in [header] + curve_lines) + "\n")
    if losses or courses:
        draw(name, settings, losses_and_courses(losses, courses))


def figure6(name, settings, _checkpoints, outcomes):
    from paper_figures import accuracy_and_energy
    points, stated = {}, {}
    published = Published()
    ratio = published.value("energy-ratio", "as published", "", "ShiftAddNet / AdderNet", 32,
                            "x energy")
    for cell, outcome in outcomes.items():
        if cell.kind == PTQ and outcome.run:
            points.setdefault(DATASETS[cell.dataset], {}).setdefault(cell.method, []).append(
                (outcome.run["energy_per_image_uj"], outcome.run["accuracy_percent"], cell.bits))
            accuracy = published.value("figure6", NETWORK, cell.dataset, "ShiftAddNet float", 32, "%")
            if cell.arithmetic == "adder" and cell.bits == 8 and accuracy is not None:
                stated[DATASETS[cell.dataset]] = (ratio * outcome.run["energy_per_image_uj"],
                                                  accuracy)
    if points:
        draw(name, settings, accuracy_and_energy(points, stated))


def asq_weights(name, settings, checkpoints, _outcomes):
    from . import weight_errors  # which needs NumPy, as plots do and tables do not
    weight_errors.figure(name, settings, chosen(settings, checkpoints, "cnn"))


FIGURES = {"figure1": figure1, "figure2": figure2, "figure4": figure4, "figure5": figure5,
           "figure6": figure6, "asq-weights": asq_weights,
           **{name: (lambda name, settings, checkpoints, _outcomes, made=made:
                     made(name, settings, checkpoints))
              for name, made in asq_figures.FIGURES.items()}}
