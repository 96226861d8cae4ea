"""The points of a study, as its folder has them, or as `abacus export DIR --json` writes them
(docs/report.md)."""

from dataclasses import dataclass

from abacus.json_value import JsonValue
from abacus.report.points import (
    ACCURACY,
    AREA_TABLE,
    ENERGY_TABLE,
    IMAGES,
    METRICS,
    Metric,
    Point,
    wilson,
)

# By the last part of a metric's key; the longest first.
UNITS = (
    ("_uj_us", "µJ·µs", ENERGY_TABLE),
    ("_um2", "µm²", AREA_TABLE),
    ("_percent", "%", IMAGES),
    ("_uj", "µJ", ENERGY_TABLE),
    ("_us", "µs", ""),
    ("_mw", "mW", ENERGY_TABLE),
)
MORE_IS_BETTER = ("accuracy", "utilisation", "frames_per_second", "taps_per_cycle")


@dataclass(frozen=True)
class Study:
    """`text`: of the study's file; `base`: of its scenario, where that is another one; `wanted`: so
    many points it will have."""

    name: str
    file: str
    text: str
    command: tuple[str, ...]
    metrics: tuple[Metric, ...]
    points: tuple[Point, ...]
    base: str = ""
    wanted: int = 0


def study_of(json: JsonValue) -> Study:
    """AbacusError where a field is missing or has a value that is not allowed."""
    if isinstance(json.value, list):
        points = json.some_of(row_of)
        return Study(json.file, "STUDY.toml", "", (), metrics_of(points), points)
    about, provenance = json["study"], json.get("provenance")
    points = json["points"].some_of(point_of)
    return Study(
        name=about["name"].text(),
        file=about["file"].text(),
        text=about["text"].text(),
        command=() if provenance is None else provenance["command"].list_of(JsonValue.text),
        metrics=metrics_of(points),
        points=points,
        base=text_or_empty(about.get("base")),
        wanted=0 if about.get("wanted") is None else about["wanted"].count(),
    )


def point_of(json: JsonValue) -> Point:
    """A row. Only finished points have metrics."""
    status = json["status"].one_of("ok", "infeasible", "failed")
    axes = json["axes"].map_of(axis_of)
    metrics = json["metrics"].map_of(lambda one: one.or_null(signed)) if status == "ok" else {}
    images = None if json.get("images") is None else json["images"].or_null(JsonValue.count)
    accuracy = json.get("metrics")
    percent = None
    if status == "ok" and accuracy is not None and accuracy.get(ACCURACY.key) is not None:
        percent = accuracy[ACCURACY.key].or_null(JsonValue.percent)
    return Point(
        name=json["name"].text(),
        network=text_or_empty(json.get("network")),
        dataset=text_or_empty(json.get("dataset")),
        metrics=metrics,
        axes=axes,
        status=status,
        reason=text_or_empty(json.get("reason")),
        images=images,
        energy_table=text_or_empty(json.get("energy_table")),
        area_table=text_or_empty(json.get("area_table")),
        interval=None if percent is None or not images else wilson(percent, images),
        hashes=hashes_of(json),
        components=quantities(json.get("components")),
        energies=quantities(json.get("energy_tables")),
    )


def hashes_of(json: JsonValue) -> tuple[tuple[str, str], ...]:
    """Of the point, and of the package that it was simulated with."""
    package = text_or_empty(json.get("package"))
    return (("point", json["hash"].text()), *((("package", package),) if package else ()))


def quantities(json: JsonValue | None) -> dict[str, float]:
    """By name; those alone that are numbers."""
    found = {} if json is None else json.map_of(lambda one: one.or_null(JsonValue.quantity))
    return {name: value for name, value in found.items() if value is not None}


def row_of(json: JsonValue) -> Point:
    """A point whose fields are columns: its number, axes, status, metrics, reason and hash."""
    names = list(json.fields())
    number, status = json["number"].count(), json["status"].one_of("ok", "infeasible", "failed")
    json["hash"].text()
    reason = names.index("reason") if "reason" in names else names.index("hash")
    first = names.index("status")
    given = [name for name in names[:first] if name != "number" and json[name].value is not None]
    axes = {name: axis_of(json[name]) for name in given}
    values = {name: json[name] for name in names[first + 1 : reason]}
    metrics = {
        name: signed(of) for name, of in values.items() if of.is_number() and name != "images"
    }
    percent, images = metrics.get(ACCURACY.key), values.get("images")
    count = images.count() if images is not None and images.value is not None else None
    return Point(
        name=", ".join(f"{name}={value}" for name, value in axes.items()) or f"point {number}",
        network=str(axes.get("network", "")) or text_or_empty(values.get("network")),
        dataset=str(axes.get("dataset", "")) or text_or_empty(values.get("dataset")),
        energy_table=text_or_empty(values.get("energy_table")),
        area_table=text_or_empty(values.get("area_table")),
        metrics=metrics if status == "ok" else {},
        axes=axes,
        status=status,
        reason=text_or_empty(json.get("reason")),
        images=count,
        interval=(
            wilson(values[ACCURACY.key].percent(), count)
            if count and percent is not None and status == "ok"
            else None
        ),
        hashes=(("point", json["hash"].text()),),
    )


def text_or_empty(json: JsonValue | None) -> str:
    """Of a field that may be left out or null."""
    return "" if json is None else json.or_null(JsonValue.text) or ""


def signed(json: JsonValue) -> float:
    """A metric's value; it may be below zero."""
    if json.is_number() and json.value < 0:
        return -JsonValue(json.file, json.path, -json.value).quantity()
    return json.quantity()


def axis_of(json: JsonValue) -> str | float:
    """A number or a text."""
    text = json.scalar()
    return json.value if json.is_number() else text


def metrics_of(points: tuple[Point, ...]) -> tuple[Metric, ...]:
    """All that some point has; those that the page knows come first."""
    keys = dict.fromkeys(key for point in points for key in point.metrics)
    known = [metric for metric in METRICS if metric.key in keys]
    names = {metric.key for metric in known}
    return tuple(known + [described(key) for key in keys if key not in names])


def described(key: str) -> Metric:
    """By its name, which ends with its unit."""
    better = "more" if any(word in key for word in MORE_IS_BETTER) else "less"
    for ending, unit, alike in UNITS:
        if key.endswith(ending):
            return Metric(key, key[: -len(ending)].replace("_", " "), unit, better, alike)
    return Metric(key, key.replace("_", " "), "", better)
