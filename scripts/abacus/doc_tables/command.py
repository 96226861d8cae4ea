"""Runs shipped scenarios and puts their figures into README and docs, between the lines

<!-- scripts/doc-tables NAME -->
<!-- end -->

so that no figure is copied by hand. Results stand in
DIR/NAME; --reuse takes those that are there. The name tutorial runs docs/tutorial.md,
accelerator draws the block diagram of docs/architecture.md, commands writes docs/commands.md.
"""

import argparse
import pathlib
import re
import sys

from abacus import places
from abacus.doc_tables import blocks, trade_off, tutorial
from abacus.doc_tables.tables import TABLES, Table
from abacus.errors import AbacusError, Stopped
from abacus.output import say, write_output
from abacus.programs import process
from abacus.results import read_results


TUTORIAL = "tutorial"
ACCELERATOR = "accelerator"
COMMANDS = "commands"


def rows(table: Table, results: pathlib.Path) -> str:
    """As Markdown."""
    lines = [
        "| " + " | ".join(column.title for column in table.columns) + " |",
        "|" + " --- |" * len(table.columns),
    ]
    for run in read_results(results)["runs"]:
        if run["bit_exact"] is not True:
            raise AbacusError(f"{results}: run \"{run['name']}\" is not bit-exact or not checked")
        lines.append("| " + " | ".join(column.cell(run) for column in table.columns) + " |")
    return "\n".join(lines) + "\n"


def put(document: pathlib.Path, name: str, text: str) -> None:
    """In place of what stands between the table's two lines."""
    old = document.read_text(encoding="utf-8")
    begin = f"<!-- scripts/doc-tables {name} -->\n"
    found = re.findall(re.escape(begin) + r".*?<!-- end -->\n", old, flags=re.DOTALL)
    if len(found) != 1:
        raise AbacusError(
            f"{document}: found {len(found)} places for the table {name}; allowed: one, "
            f"between {begin.strip()} and <!-- end -->"
        )
    write_output(document, old.replace(found[0], f"{begin}\n{text}\n<!-- end -->\n"))
    say(document)


def simulate(table: Table, arguments: argparse.Namespace) -> pathlib.Path:
    """Where the results are."""
    folder: pathlib.Path = arguments.out / table.name
    results = folder / "results.json"
    if arguments.reuse and results.is_file():
        return results
    program = process.find_program("abacus", arguments.bin)
    command: list[object] = [program, "simulate", places.ROOT / "scenarios" / table.scenario]
    command += ["--check", "--out", folder]
    if arguments.data:
        command += ["--data", arguments.data]
    print(process.run(command), end="")
    return results


def main(argv: list[str]) -> None:
    """Ends the program with its exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/doc-tables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [table.name for table in TABLES] + [ACCELERATOR, COMMANDS, TUTORIAL]
    parser.add_argument("tables", nargs="*", metavar="NAME", help=f"{', '.join(names)}; all")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("results"), metavar="DIR")
    parser.add_argument("--reuse", action="store_true", help="results that are there")
    parser.add_argument("--bin", type=pathlib.Path, help="folder of the program abacus")
    parser.add_argument("--data", type=pathlib.Path, help="folder of the data sets")
    arguments = parser.parse_args(argv)
    for name in arguments.tables:
        if name not in names:
            parser.error(f'found "{name}"; allowed: {", ".join(names)}')
    process.stop_on_signals()
    try:
        for table in TABLES:
            if arguments.tables and table.name not in arguments.tables:
                continue
            results = simulate(table, arguments)
            put(places.ROOT / table.document, table.name, rows(table, results))
            if table.picture:
                trade_off.draw(results, places.ROOT / table.picture)
        if not arguments.tables or ACCELERATOR in arguments.tables:
            blocks.draw(places.ROOT / "docs" / "figures" / "accelerator.svg")
        if not arguments.tables or COMMANDS in arguments.tables:
            program = process.find_program("abacus", arguments.bin)
            text = process.run([program, "help", "--format", "markdown"])
            put(places.ROOT / "docs" / "commands.md", COMMANDS, text)
        if not arguments.tables or TUTORIAL in arguments.tables:
            text = tutorial.DOCUMENT.read_text(encoding="utf-8")
            program = process.find_program("abacus", arguments.bin)
            write_output(tutorial.DOCUMENT, tutorial.done(text, program))
            say(tutorial.DOCUMENT)
    except Stopped:
        sys.exit(process.STOPPED_STATUS)
    except (AbacusError, OSError, KeyError) as error:
        print(f"scripts/doc-tables: {error}", file=sys.stderr)
        sys.exit(1)
