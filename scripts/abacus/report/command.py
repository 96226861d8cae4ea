"""`abacus report`: makes a self-contained HTML page of a results.json of `abacus simulate`."""

import argparse
import pathlib
import sys

from abacus.errors import AbacusError
from abacus.output import check_output, say, write_output
from abacus.report.page import page
from abacus.results import Results, read_results


def page_of(results: Results, file: pathlib.Path) -> str:
    """AbacusError where a field is missing or of another kind."""
    try:
        return page(results, file)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AbacusError(
            f"{file}: no results file of abacus simulate: {type(error).__name__}: {error}"
        ) from None


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
        out = arguments.out or arguments.results.with_name("report.html")
        check_output(out)
        results = read_results(arguments.results)
        write_output(out, page_of(results, arguments.results))
        say(f"report: {out}")
    except AbacusError as error:
        sys.exit(f"report: {error}")
