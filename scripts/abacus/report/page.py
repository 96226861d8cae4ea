"""The page of a results.json, in one file. Its markup is page.html's; every value that goes into it
becomes text or is data of its scripts."""

import pathlib
import shlex
from collections.abc import Iterable, Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from abacus.errors import AbacusError
from abacus.report import tables
from abacus.report.library import VERSION
from abacus.report.page_data import payload, script_json, with_details
from abacus.report.points import METRICS, Point, points_of_runs
from abacus.report.results import Program, RandomWeights, Results, TrainedWeights, timed
from abacus.report.scripts import script as own_script
from abacus.report.scripts import source_of, style
from abacus.report.study import Study
from abacus.visible import visible


MOST_NAMES = 12
OTHER_STATUSES = ("infeasible", "failed")


def as_text(value: object) -> object:
    """What each value passes before it is escaped; a finished piece of the page stays."""
    return value if isinstance(value, Markup) else visible(str(value))


TEMPLATES = Environment(
    loader=FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    finalize=as_text,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def origin(weights: RandomWeights | TrainedWeights) -> str:
    """In words."""
    if isinstance(weights, RandomWeights):
        return f"Random weights, seed {weights.seed}."
    return f"Checkpoint {weights.checkpoint or 'unknown'}, package {weights.package or 'unknown'}."


def made_by(program: Program | None) -> str:
    """In words."""
    if program is None:
        return ""
    commit = f", commit {program.commit}" if program.commit else ""
    changes = " with changes" if program.commit and program.dirty else ""
    return f", by {program.name} {program.version}{commit}{changes}"


def lines_of(text: str) -> list[str]:
    """Without the ends of the lines and without tabs, which are no surprise in a scenario."""
    return [line.expandtabs() for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]


def page(results: Results, source: object, library: str = "", chosen: Sequence[str] = ()) -> str:
    """`source`: the results' file, as the page names it; `library`: plotly.js; `chosen`: names of
    runs whose layers are wanted in any case. AbacusError where there is no such run."""
    runs = results.runs
    for name in chosen:
        if name not in {run.name for run in runs}:
            raise AbacusError(f"--detail: found {visible(name)}; allowed: the name of a run")
    points = points_of_runs(runs)
    detailed = with_details(points, METRICS, chosen)
    check = ["--check"] if any(run.check for run in runs) else []
    simulate = (
        ["abacus", "simulate", results.scenario_file]
        + [f"--set={setting}" for setting in results.settings]
        + check
    )
    commands = [shlex.join(simulate), shlex.join(["abacus", "report", str(source)])]
    if results.scenario_file == "-":
        commands[0] += " < SCENARIO.toml   # the text above"
    return render(
        library,
        script_json(payload(points, METRICS, runs, detailed)),
        title=results.scenario_name,
        by_table=None,
        results=results,
        runs=runs,
        timed=timed(runs),
        detailed=[runs[i] for i in sorted(detailed)],
        summary=tables.summary(runs),
        warnings=tables.saturation_notes(runs) + tables.energy_notes(runs),
        disagreements=results.disagreements,
        datasets=", ".join(sorted({run.dataset for run in runs})),
        images=" and ".join(
            f"{n:,} image" + ("" if n == 1 else "s") for n in sorted({run.images for run in runs})
        ),
        energy_tables=", ".join(
            sorted({f"{run.energy_table} ({run.energy_table_title})" for run in runs})
        ),
        without_accuracy=names_of(
            run.name for run in runs if isinstance(run.weights, RandomWeights)
        ),
        made_with=shlex.join(results.program.command) if results.program else "",
        made_by=made_by(results.program),
        scenario_lines=lines_of(results.scenario_text),
        commands=commands,
    )


def study_page(study: Study, source: object, library: str = "") -> str:
    """`source`: the study's folder or export, as the page names it."""
    points = study.points
    counts = [(sum(p.status == status for p in points), status) for status in OTHER_STATUSES]
    explore = ["abacus", "explore", study.file]
    if study.wanted:  # a folder
        explore.append(f"--out={source}")
    scenario = lines_of(study.text)
    if study.base:
        scenario += ["", "# The scenario:", "", *lines_of(study.base)]
    return render(
        library,
        script_json(payload(points, study.metrics, (), set())),
        title=study.name,
        results=None,
        runs=(),
        timed=(),
        points=points,
        without=" and ".join(f"{count:,} {status}" for count, status in counts if count),
        about=about(points),
        unfinished=study.wanted if study.wanted > len(points) else 0,
        by_table=tables.least_energies(points),
        warnings=(),
        disagreements=(),
        summary=tables.study_points(study),
        made_with=shlex.join(study.command),
        made_by="",
        scenario_lines=scenario,
        commands=[shlex.join(explore), shlex.join(["abacus", "report", str(source)])],
    )


def about(points: Sequence[Point]) -> str:
    """What the points are of, in words."""
    ok = [point for point in points if point.status == "ok"]
    images = sorted({point.images for point in ok if point.images is not None})
    tables_named = sorted({point.energy_table for point in ok if point.energy_table})
    areas = sorted({point.area_table for point in ok if point.area_table})
    said = [
        ", ".join(sorted({f"{p.network} on {p.dataset}" for p in ok if p.network and p.dataset})),
        " and ".join(f"{n:,} image" + ("" if n == 1 else "s") for n in images)
        + (" a point" if images else ""),
        f"energy by {', '.join(tables_named)}" if tables_named else "",
        f"area by {', '.join(areas)}" if areas else "",
    ]
    return "; ".join(words for words in said if words)


def render(library: str, data: Markup, **values: object) -> str:
    """The page; the library is text of ours as the scripts are."""
    script = own_script()
    return TEMPLATES.get_template("page.html").render(
        **values,
        tables=tables,
        origin=origin,
        style=style(),
        data=data,
        library=Markup(library),
        script=script,
        script_sources=f"{source_of(library)} {source_of(script)}",
        plotly_version=VERSION,
    )


def names_of(names: Iterable[str]) -> str:
    """The first of many."""
    listed = list(names)
    more = len(listed) - MOST_NAMES
    return ", ".join(listed[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
