"""`scripts/element`: tables of approximate multipliers, for elements that a scenario describes.

docs/table.md walks through it. Weights are signed, sign and magnitude; activations are not.
"""

import argparse
import io
import pathlib
import sys
from collections.abc import Callable

import numpy

from abacus.errors import AbacusError
from abacus.files import csv_text
from abacus.output import write_output

Multiply = Callable[[int, int], int]


def exact(a: int, b: int) -> int:
    """What a multiplier makes of two magnitudes."""
    return a * b


def mitchell(a: int, b: int) -> int:
    """Mitchell, "Computer multiplication and division using binary logarithms", IRE Transactions on
    Electronic Computers, 1962: log2(2^k · (1 + x)) ≈ k + x, for a logarithm and back again. Results
    are whole numbers, at most 1/9 too small."""
    if a == 0 or b == 0:
        return 0
    k, m = a.bit_length() - 1, b.bit_length() - 1
    # 2^(k + m) · (x + y): the sum of the fractions, which carries from 2^(k + m) on.
    fractions = ((a - (1 << k)) << m) + ((b - (1 << m)) << k)
    one = 1 << (k + m)
    return one + fractions if fractions < one else 2 * fractions


def truncated(dropped: int) -> Multiply:
    """An array multiplier without the `dropped` lowest columns of its partial products."""

    def multiply(a: int, b: int) -> int:
        rows = (a << bit for bit in range(b.bit_length()) if b >> bit & 1)
        return sum((row >> dropped) << dropped for row in rows)

    return multiply


def table(multiply: Multiply, weight_bits: int, activation_bits: int) -> list[list[int]]:
    """A row for each weight, a column for each activation, ascending."""
    half = 1 << (weight_bits - 1)
    return [
        [
            multiply(a, abs(w)) if w >= 0 else -multiply(a, abs(w))
            for a in range(1 << activation_bits)
        ]
        for w in range(-half, half)
    ]


def write_table(file: pathlib.Path, rows: list[list[int]]) -> None:
    """As .csv or .npy, whatever the file's name ends with."""
    if file.suffix == ".csv":
        write_output(file, csv_text(rows))
    elif file.suffix == ".npy":
        content = io.BytesIO()
        # Of 16 bits or, where those do not hold them, 32.
        largest = max(abs(tap) for row in rows for tap in row)
        numpy.save(content, numpy.array(rows, dtype="<i2" if largest < 1 << 15 else "<i4"))
        write_output(file, content.getvalue())
    else:
        raise AbacusError(f'{file}: found the ending "{file.suffix}"; allowed: .csv, .npy')


def bits(text: str) -> int:
    """A width of operands."""
    width = int(text)
    if not 1 <= width <= 8:
        raise argparse.ArgumentTypeError(f"found {width}; allowed: 1 to 8")
    return width


def main(given: list[str]) -> None:
    """The script."""
    parser = argparse.ArgumentParser(
        prog="scripts/element", description="Make the table of a multiplier."
    )
    parser.add_argument("multiplier", choices=["exact", "mitchell", "truncated"])
    parser.add_argument(
        "--weight-bits", type=bits, default=8, metavar="BITS", help="1 to 8, signed"
    )
    parser.add_argument("--activation-bits", type=bits, default=8, metavar="BITS", help="1 to 8")
    parser.add_argument(
        "--dropped", type=int, default=0, metavar="COLUMNS", help="of truncated: 0 to 15"
    )
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE.csv|FILE.npy")
    arguments = parser.parse_args(given)
    if not 0 <= arguments.dropped <= 15:
        parser.error(f"argument --dropped: found {arguments.dropped}; allowed: 0 to 15")
    if arguments.dropped and arguments.multiplier != "truncated":
        parser.error("argument --dropped: goes with truncated alone")
    multiply = {
        "exact": exact,
        "mitchell": mitchell,
        "truncated": truncated(arguments.dropped),
    }[arguments.multiplier]
    try:
        write_table(
            arguments.out, table(multiply, arguments.weight_bits, arguments.activation_bits)
        )
    except AbacusError as error:
        sys.exit(f"element: {error}")
    print(arguments.out)
