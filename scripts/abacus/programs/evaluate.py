"""`abacus-train evaluate`: the accuracy of a package by the reference executor."""

import pathlib
from dataclasses import dataclass

from abacus.programs.answer import malformed
from abacus.programs.programs import Programs


@dataclass(frozen=True)
class Evaluation:
    """Accuracy on so many images."""

    accuracy_percent: float
    images: int


def evaluate_exactly(programs: Programs, package: pathlib.Path, images: int) -> Evaluation:
    """On the first test images (0: all), exponent weights in exact arithmetic."""
    answer = programs.ask(
        programs.trainer(),
        "evaluate",
        "--package",
        package,
        "--exponents",
        "exact",
        "--images",
        images,
        *programs.data_arguments(),
    )
    try:
        return Evaluation(float(answer["accuracy_percent"]), int(answer["images"]))
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("evaluate", "accuracy", error) from None
