"""Makes a table or figure of the AdderNet quantization paper, of the ASQ and POST paper, or one of
our own, with our figures beside the published ones. Accuracies come from the integer hardware
models of `abacus simulate`.

Writes DIR/TABLE.csv and DIR/TABLE.md (figures: DIR/FIGURE.svg and .png too). Finished rows are kept
in DIR: the same call again goes on, or writes the table again without work.
docs/reproduce.md describes it.
"""

import argparse
import os
import pathlib
import shlex
import sys
from collections.abc import Callable

from abacus import places
from abacus.cells import seeds
from abacus.cells.cell import Outcomes
from abacus.cells.runner import Runner, make_all
from abacus.cells.settings import OptionSetting, Settings
from abacus.checkpoint import Checkpoints, find_checkpoints
from abacus.errors import AbacusError, Stopped
from abacus.figures import catalogue as figures
from abacus.figures.request import Request
from abacus.output import reserved, say, write_output
from abacus.programs import process
from abacus.tables import catalogue as tables
from abacus.tables.lines import lines_of, table_csv
from abacus.tables.markdown import table_markdown
from abacus.tables.published import Published

BITS = range(1, 9)
MOST_SEEDS = 100
# Arguments that tell only of this machine: where data and programs lie, processes.
OF_THE_MACHINE = ("--data", "--bin", "--jobs")


def whole_number(lowest: int) -> Callable[[str], int]:
    """Reader of an argument."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest:
            raise argparse.ArgumentTypeError(f"found {text}; allowed: whole numbers from {lowest}")
        return value

    return read


def bit_list(text: str) -> list[int]:
    """4,3,2 → these widths."""
    try:
        bits = [int(part) for part in text.split(",")]
    except ValueError:
        bits = [0]
    if any(b not in BITS for b in bits):
        raise argparse.ArgumentTypeError(f"found {text}; allowed: widths from 1 to 8, as in 4,3,2")
    return bits


def seed_list(text: str) -> list[int]:
    """3 → seeds 1, 2, 3; 4,7 → these."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    one_count = len(numbers) == 1 and "," not in text
    if (
        not numbers
        or min(numbers) < 1
        or len(set(numbers)) < len(numbers)
        or (one_count and numbers[0] > MOST_SEEDS)
    ):
        raise argparse.ArgumentTypeError(
            f"found {text}; allowed: how many (1 to {MOST_SEEDS}), or different seeds from 1, as "
            "in 1,2,5"
        )
    return list(range(1, numbers[0] + 1)) if one_count else numbers


def option_setting(text: str) -> OptionSetting:
    """[SCHEME:]NAME=VALUE → (scheme, name, value)."""
    name, equals, value = text.partition("=")
    scheme, colon, own = name.rpartition(":")
    if not equals or not own or not value or (colon and not scheme):
        raise argparse.ArgumentTypeError(f"found {text}; allowed: [SCHEME:]NAME=VALUE")
    return scheme, own.replace("-", "_"), value


def argument_parser() -> argparse.ArgumentParser:
    """Names and help of all arguments."""
    parser = argparse.ArgumentParser(
        prog="scripts/reproduce",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "table",
        metavar="TABLE",
        choices=sorted(tables.TABLES)
        + [name for name in sorted(figures.NAMES) if name not in tables.TABLES],
        help="%(choices)s",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        required=True,
        metavar="DIR",
        help="folder for the table and for all that it is made from",
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        metavar="DIR",
        help="folder of the data sets; default: ABACUS_DATA",
    )
    parser.add_argument(
        "--checkpoint",
        type=pathlib.Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a trained network, once for each network and data "
        "set; what is not given is taken from scenarios/checkpoints",
    )
    parser.add_argument(
        "--dataset",
        action="append",
        metavar="NAME",
        choices=["cifar10", "cifar100", "fashion-mnist"],
        help="%(choices)s; may be repeated; default: cifar10 and cifar100",
    )
    parser.add_argument(
        "--images",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="of the test set, from its start; default 0: all",
    )
    parser.add_argument(
        "--bits", type=bit_list, default=[], metavar="LIST", help="only these widths, as in 4,3"
    )
    parser.add_argument(
        "--qat-epochs",
        type=whole_number(0),
        metavar="N",
        help="epochs of training with quantization; by default the papers': 50, and "
        "300 of the asq tables; 0: none, only ready packages",
    )
    parser.add_argument(
        "--seeds",
        type=seed_list,
        default="3",
        metavar="N or LIST",
        help="of the asq tables' trainings: so many, or these (1,2,5); default: 3",
    )
    parser.add_argument(
        "--packages",
        type=pathlib.Path,
        metavar="DIR",
        help="trained packages: those there are used, new ones are written there; "
        "default: DIR/trained of --out",
    )
    parser.add_argument(
        "--option",
        type=option_setting,
        action="append",
        default=[],
        metavar="[SCHEME:]NAME=VALUE",
        help="an option of abacus-train quantize or qat, for all schemes or for one "
        "or quantizer (brecq:iterations=2000, qat:lr=1e-4, asq:adapter-rate=10)",
    )
    parser.add_argument(
        "--hardware", default="edge-16x16", metavar="PRESET", help="default: %(default)s"
    )
    parser.add_argument(
        "--energy", default="horowitz-45nm", metavar="TABLE", help="default: %(default)s"
    )
    parser.add_argument(
        "--fake-quantized",
        dest="evaluate",
        action="store_true",
        help="measure the fake-quantized float accuracy too, for the notes",
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="list a row that fails with its error instead of ending there",
    )
    parser.add_argument(
        "--jobs",
        type=whole_number(1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes of the simulation; default: one a processor",
    )
    parser.add_argument(
        "--bin",
        type=pathlib.Path,
        metavar="DIR",
        help="folder of abacus and abacus-train; default: build/release/bin, then PATH",
    )
    return parser


def read_arguments(arguments: list[str]) -> Settings:
    """Ends the program with status 2 for wrong ones."""
    parser = argument_parser()
    given = vars(parser.parse_args(arguments))
    given["packages"] = given["packages"] or given["out"] / "trained"
    given["dataset"] = given["dataset"] or ["cifar10", "cifar100"]
    for file in given["checkpoint"]:
        if not file.is_file():
            parser.error(f"--checkpoint: there is no file {file}")
    if given["data"] and not given["data"].is_dir():
        parser.error(f"--data: there is no folder {given['data']}")
    return Settings(**given)


def command_text(arguments: list[str]) -> str:
    """The call without what tells only of this machine."""
    kept = []
    skip = False
    for argument in arguments:
        if not skip and argument.partition("=")[0] not in OF_THE_MACHINE:
            kept.append(argument)
        skip = not skip and argument in OF_THE_MACHINE
    return "scripts/reproduce " + shlex.join(kept)


def make_table(
    settings: Settings, checkpoints: Checkpoints, command: str
) -> tuple[Outcomes, list[str]]:
    """Writes the table; its outcomes, and the titles of the cells that failed."""
    name = settings.table
    table = tables.TABLES[name]
    cells = table.cells(settings.dataset)
    tables.check_options(name, cells, settings.option)
    cells = [
        tables.with_options(cell, settings.option)
        for cell in tables.with_bits(cells, settings.bits)
    ]
    runner = Runner(settings, checkpoints)
    by_seed = make_all(runner, seeds.expanded(cells, settings.seeds), settings.keep_going)
    outcomes = seeds.folded(by_seed)
    lines = lines_of(name, table, outcomes, Published(), runner)
    # Both texts before either file, so that an error leaves neither.
    as_csv = table_csv(lines)
    as_markdown = table_markdown(table, lines, command, outcomes, runner)
    write_output(settings.out / f"{name}.csv", as_csv)
    write_output(settings.out / f"{name}.md", as_markdown)
    say(settings.out / f"{name}.md")
    failed = [
        cell.title for cell, outcome in by_seed.items() if outcome.reason.startswith("failed")
    ]
    return outcomes, failed


def results_of(settings: Settings) -> list[pathlib.Path]:
    """What is written in the end, besides what is kept."""
    kinds = ["csv", "md"] if settings.table in tables.TABLES else ["csv"]
    if settings.table in figures.NAMES:
        kinds += ["svg", "png"]
    return [settings.out / f"{settings.table}.{kind}" for kind in kinds]


def main(arguments: list[str]) -> None:
    """The script; exits with status 0, 1, 2 or 130."""
    settings = read_arguments(arguments)
    process.stop_on_signals()
    failed: list[str] = []
    try:
        with reserved(settings.out, results_of(settings)):
            checkpoints = find_checkpoints(settings.checkpoint, places.CHECKPOINTS)
            outcomes = None
            if settings.table in tables.TABLES:
                outcomes, failed = make_table(settings, checkpoints, command_text(arguments))
            if settings.table in figures.NAMES:
                figures.make(Request(settings.table, settings, checkpoints, outcomes))
    except AbacusError as error:
        sys.exit(f"reproduce: {error}")
    except Stopped:
        print(
            f"reproduce: stopped; the finished rows are kept in {settings.out}; the same call "
            "goes on",
            file=sys.stderr,
        )
        sys.exit(process.STOPPED_STATUS)
    if failed:
        sys.exit(f"reproduce: {len(failed)} of the rows failed: {'; '.join(failed)}")
