"""`abacus report`: makes a self-contained HTML page of a results.json of `abacus simulate`."""

import argparse
import pathlib
import sys

from abacus.errors import AbacusError
from abacus.json_value import JsonValue
from abacus.output import check_output, say, write_output
from abacus.report.page import page
from abacus.report.reading import results_of
from abacus.results import read_results
from abacus.visible import visible


def main(given: list[str]) -> None:
    """The script; exits with status 1 where there is nothing to show."""
    parser = argparse.ArgumentParser(
        prog="scripts/report", description="Make an HTML page of a results file."
    )
    parser.add_argument("results", type=pathlib.Path, metavar="RESULTS.json")
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="PAGE.html",
        help="default: report.html beside the results",
    )
    arguments = parser.parse_args(given)
    try:
        json = read_results(arguments.results)
        out = arguments.out or arguments.results.with_name("report.html")
        check_output(out)
        results = results_of(JsonValue(str(arguments.results), "", json))
        write_output(out, page(results, arguments.results))
        say(f"report: {visible(str(out))}")
    except AbacusError as error:
        sys.exit(f"report: {error}")
