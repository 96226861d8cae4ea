"""`abacus report`: makes a self-contained HTML page of a results.json of `abacus simulate`, or of
a study: its folder, or its points in a file."""

import argparse
import pathlib
import sys

from abacus.errors import AbacusError
from abacus.json_value import JsonValue
from abacus.output import check_output, say, write_output
from abacus.report.library import read_library
from abacus.report.page import page, study_page
from abacus.report.reading import results_of
from abacus.report.store import read_store
from abacus.report.study import study_of
from abacus.results import read_json, read_results
from abacus.visible import visible


def main(given: list[str]) -> None:
    """The script; exits with status 1 where there is nothing to show."""
    parser = argparse.ArgumentParser(
        prog="scripts/report", description="Make an HTML page of a results file."
    )
    parser.add_argument("results", type=pathlib.Path, metavar="RESULTS")
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="PAGE.html",
        help="default: report.html beside the results, or in the study's folder",
    )
    parser.add_argument(
        "--detail",
        action="append",
        default=[],
        metavar="RUN",
        help="layers of this run too, where there are too many runs to show all of them",
    )
    parser.add_argument(
        "--points",
        action="store_true",
        help="the file is the points of a study, as abacus export --json writes them",
    )
    arguments = parser.parse_args(given)
    try:
        folder = arguments.results.is_dir()
        beside = arguments.results / "x" if folder else arguments.results
        out = arguments.out or beside.with_name("report.html")
        content = (page_of_study if arguments.points or folder else page_of_results)(arguments)
        check_output(out)
        write_output(out, content)
        say(f"report: {visible(str(out))}")
    except AbacusError as error:
        sys.exit(f"report: {error}")


def page_of_results(arguments: argparse.Namespace) -> str:
    """Of a results.json."""
    file = arguments.results
    results = results_of(JsonValue(str(file), "", read_results(file)))
    return page(results, file, read_library(), arguments.detail)


def page_of_study(arguments: argparse.Namespace) -> str:
    """Of a study's folder or points."""
    file = arguments.results
    if arguments.detail:
        raise AbacusError("--detail: goes with results.json; a study keeps no layers")
    content = read_store(file) if file.is_dir() else read_json(file)
    return study_page(study_of(JsonValue(str(file), "", content)), file, read_library())
