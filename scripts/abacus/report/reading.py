"""From the JSON of a results file to checked values."""

from collections.abc import Iterator

from abacus.errors import AbacusError
from abacus.json_value import JsonValue, MissingField
from abacus.report.results import (
    Accuracies,
    Action,
    Area,
    Check,
    Frame,
    Hardware,
    Layer,
    LayerTiming,
    Program,
    RandomWeights,
    Results,
    Run,
    Timing,
    TrainedWeights,
    UnitCycles,
    UnitTimes,
    Widths,
)
from abacus.results import SCHEMA


def results_of(json: JsonValue) -> Results:
    """AbacusError where a field is missing or has a value that is not allowed."""
    try:
        return checked(json)
    except MissingField as error:
        if json["schema"].value == SCHEMA:
            raise
        raise AbacusError(
            f"{error}; an older abacus wrote the file (schema {json['schema'].count()}): make it "
            "anew with abacus simulate"
        ) from None


def checked(json: JsonValue) -> Results:
    """A whole file."""
    scenario, times = json["scenario"], json["times"]
    settings, provenance = scenario.get("set"), json.get("provenance")
    differ = json.get("energy_disagreements")
    return Results(
        runs=json["runs"].some_of(run_of),
        disagreements=() if differ is None else differ.list_of(lambda one: one["text"].text()),
        scenario_name=scenario["name"].text(),
        scenario_file=scenario["file"].text(),
        scenario_text=scenario["text"].text(),
        settings=() if settings is None else settings.list_of(JsonValue.text),
        program=None if provenance is None else program_of(provenance),
        started=times["started"].text(),
        seconds=times["seconds"].quantity(),
        jobs=times["jobs"].count(),
    )


def program_of(json: JsonValue) -> Program:
    """What made the file."""
    return Program(
        json["program"].text(),
        json["version"].text(),
        json["commit"].or_null(JsonValue.text),
        json["dirty"].truth(),
        json["command"].list_of(JsonValue.text),
    )


def run_of(json: JsonValue) -> Run:
    """One of `runs`."""
    return Run(
        name=json["name"].text(),
        network=json["network"].text(),
        arithmetic=json["arithmetic"].text(),
        dataset=json["dataset"].text(),
        scheme=json["scheme"].text(),
        widths=widths_of(json),
        images=json["images"].count(),
        weights=weights_of(json),
        accuracies=Accuracies(
            json["accuracy_percent"].or_null(JsonValue.percent),
            json["fake_quantized_accuracy_percent"].or_null(JsonValue.percent),
            json["float_accuracy_percent"].or_null(JsonValue.percent),
        ),
        energy_table=json["energy_table"].text(),
        energy_table_title=json["energy_table_title"].text(),
        energy_left_out=texts_of(json.get("energy_left_out")),
        check=check_of(json),
        area=json["area"].or_null(area_of),
        hardware=hardware_of(json["hardware"]),
        layers=json["layers"].some_of(layer_of),
        timing=None if json["cycles_per_image"].value is None else timing_of(json),
    )


def texts_of(json: JsonValue | None) -> tuple[str, ...]:
    """A list that an older program did not write is empty."""
    return () if json is None else json.list_of(JsonValue.text)


def widths_of(json: JsonValue) -> Widths:
    """Of a run or a layer."""
    return Widths(json["weight_bits"].count(), json["activation_bits"].count())


def weights_of(json: JsonValue) -> RandomWeights | TrainedWeights:
    """Where a run's weights are from."""
    if json["weights"].one_of("trained", "synthetic") == "synthetic":
        return RandomWeights(json["synthetic"]["seed"].count())
    return TrainedWeights(
        json["checkpoint_sha256"].or_null(JsonValue.text),
        json["package_sha256"].or_null(JsonValue.text),
    )


def check_of(json: JsonValue) -> Check | None:
    """A run's; a difference always has its words."""
    is_exact = json["bit_exact"].or_null(JsonValue.truth)
    if is_exact is None:
        return None
    mismatch = None if is_exact else json["mismatch"].text()
    return Check(json["checked_images"].count(), mismatch)


def area_of(json: JsonValue) -> Area:
    """A run's; some came later than the others."""
    filled, whole = json.get("filled"), json.get("accelerator_um2")
    return Area(
        json["table"].text(),
        json["table_title"].text(),
        json["array_um2"].quantity(),
        None if whole is None else whole.quantity(),
        texts_of(json.get("left_out")),
        json["same_area_as"].or_null(JsonValue.text),
        None if filled is None else filled.or_null(JsonValue.quantity),
    )


def hardware_of(json: JsonValue) -> Hardware:
    """A run's."""
    array = json["array"]
    return Hardware(
        array["kind"].text(),
        array["rows"].count(),
        array["columns"].count(),
        tuple((name, tuple(parameters(part))) for name, part in json.items()),
        bytes_per_cycle(json),
    )


def parameters(part: JsonValue) -> Iterator[tuple[str, str]]:
    """Of a part, and of what it has parts of: rows and table.ports; one of its own has no name."""
    if not isinstance(part.value, dict):
        yield "", part.scalar()
        return
    for name, value in part.items():
        if isinstance(value.value, dict):
            for inner, one in value.items():
                yield f"{name}.{inner}", one.scalar()
        else:
            yield name, value.scalar()


def bytes_per_cycle(json: JsonValue) -> float | None:
    """Of a hardware's way to its DRAM."""
    bus, dram = json.get("bus"), json.get("dram")
    width = bus.get("bytes_per_cycle") if bus is not None else None
    if width is None or dram is None:
        return None
    pins, period, clock = dram.get("data_bits"), dram.get("t_ck"), json.get("clock_mhz")
    if pins is None or period is None or clock is None or not period.quantity():
        return None
    cycle_ns = 1e3 / clock.quantity() if clock.quantity() else 0
    # Left out where they are 2 and 1.
    beats, channels = dram.get("transfers_per_clock"), dram.get("channels")
    a_clock = (beats.quantity() if beats is not None else 2) * pins.quantity() / 8
    if channels is not None:
        a_clock *= channels.quantity()
    return min(width.quantity(), a_clock / period.quantity() * cycle_ns)


def layer_of(json: JsonValue) -> Layer:
    """One of a run's `layers`."""
    steps = json.get("step_saturations")
    return Layer(
        name=json["name"].text(),
        kind=json["kind"].text(),
        array=json["array"].or_null(JsonValue.text),
        widths=None if json.get("weight_bits") is None else widths_of(json),
        macs_or_taps=json["macs_or_taps"].count(),
        output_tiles=json["output_tiles"].count(),
        groups=json["groups"].count(),
        saturations=json["saturations"].count(),
        step_saturations=None if steps is None else sum(steps.map_of(JsonValue.count).values()),
    )


def timing_of(json: JsonValue) -> Timing:
    """A run's that has cycles; its layers have them too. Static energy came later."""
    static = json.get("static_energy_uj")
    return Timing(
        cycles=json["cycles_per_image"].cycles(),
        time_us=json["time_per_image_us"].quantity(),
        energy_uj=json["energy_per_image_uj"].quantity(),
        static_energy_uj=None if static is None else static.quantity(),
        energy_by_component_uj=json["energy_by_component_uj"].map_of(JsonValue.quantity),
        frame=frame_of(json.get("frame")),
        units=units_of(json["units"]),
        actions=json["activity_per_image"].list_of(action_of),
        layers=json["layers"].list_of(layer_timing_of),
    )


def frame_of(json: JsonValue | None) -> Frame | None:
    """A run's, where the scenario gives a rate."""
    if json is None:
        return None
    return Frame(
        json["frames_per_second"].quantity(),
        json["energy_uj"].or_null(JsonValue.quantity),
        json["power_mw"].or_null(JsonValue.quantity),
    )


def layer_timing_of(json: JsonValue) -> LayerTiming:
    """Of one of a timed run's `layers`."""
    return LayerTiming(
        json["cycles"].quantity(),
        json["pe_utilisation"].quantity(),
        json["energy_uj"].quantity(),
        units_of(json["units"]),
        spent_of(json.get("spent_cycles")),
    )


def spent_of(json: JsonValue | None) -> dict[str, dict[str, float]]:
    """Of a layer, by unit and cause."""
    return {} if json is None else json.map_of(lambda unit: unit.map_of(JsonValue.quantity))


def units_of(json: JsonValue) -> UnitTimes:
    """Of a run or a layer."""
    return json.map_of(
        lambda unit: UnitCycles(unit["busy_cycles"].quantity(), unit["stalled_cycles"].quantity())
    )


def action_of(json: JsonValue) -> Action:
    """One of a run's `activity_per_image`."""
    return Action(
        json["component"].text(),
        json["action"].text(),
        json["bits_a"].count(),
        json["bits_b"].count(),
        json["count"].quantity(),
        json["pj_each"].quantity(),
    )
