"""The tables: where each stands, which scenario gives its rows, its columns."""

from dataclasses import dataclass

from abacus.doc_tables import columns
from abacus.doc_tables.columns import Column, number


@dataclass(frozen=True)
class Table:
    """`scenario` stands in scenarios/, `document` in the project."""

    name: str
    document: str
    scenario: str
    columns: tuple[Column, ...]
    picture: str = ""  # of accuracy against energy, to be drawn too


TABLES = (
    Table(
        "first",
        "README.md",
        "first.toml",
        (
            Column("network, 4 bits", lambda run: str(run["name"])),
            columns.ACCURACY,
            columns.CYCLES,
            columns.TIME,
            columns.ENERGY,
            columns.DRAM_SHARE,
        ),
    ),
    Table(
        "demo",
        "docs/demo.md",
        "demo.toml",
        (
            columns.NAME,
            columns.ACCURACY,
            columns.FLOAT_ACCURACY,
            columns.CYCLES,
            columns.TIME,
            columns.DRAM,
            columns.ENERGY,
            columns.STATIC,
            columns.DRAM_SHARE,
            columns.ON_CHIP,
        ),
        "docs/figures/demo.svg",
    ),
    Table(
        "workloads",
        "docs/measurements.md",
        "workloads.toml",
        (
            columns.NAME,
            columns.ARRAY,
            Column("array, mm²", number("area.array_um2", 3, "", 1e-6)),
            Column("accelerator, mm²", number("area.accelerator_um2", 2, "", 1e-6)),
            Column(
                "taps", lambda run: f"{sum(layer['macs_or_taps'] for layer in run['layers']):,}"
            ),
            columns.CYCLES,
            Column("ms", number("time_per_image_us", 1, "", 1e-3)),
            Column("mJ", number("energy_per_image_uj", 2, "", 1e-3)),
            Column("of it static", number("static_energy_uj", 2, "", 1e-3)),
            Column("DRAM, MB", number("dram_bytes_per_image", 1, "", 1e-6)),
        ),
    ),
    Table(
        "table",
        "docs/table.md",
        "table.toml",
        (
            Column("array", lambda run: str(run["name"])),
            columns.ACCURACY,
            columns.CYCLES,
            Column("µJ an image", number("energy_per_image_uj", 2)),
            Column("of it the taps", columns.energy_of("multiply", "element_tap")),
            Column("lane units, µm²", number("area.units_um2")),
        ),
    ),
    Table(
        "validation",
        "docs/validation.md",
        "validation.toml",
        (
            columns.NAME,
            columns.CYCLES,
            Column("computing", lambda run: f"{columns.compute_cycles(run):,}"),
            Column("DRAM, KiB", number("dram_bytes_per_image", 1, "", 1 / 1024)),
            Column("µJ", number("energy_per_image_uj", 1)),
            Column("of it dynamic", number("dynamic_energy_uj", 1)),
            Column("static", number("static_energy_uj", 1)),
            columns.DRAM_SHARE,
            Column("mW", number("power_mw", 1)),
        ),
    ),
    Table(
        "dram",
        "docs/dram.md",
        "dram.toml",
        (
            Column("DRAM, controller", lambda run: str(run["name"])),
            columns.CYCLES,
            Column("loads, GB/s", columns.load_bandwidth),
            Column("waits for DRAM, load unit", columns.load_waits),
            Column("mJ", number("energy_per_image_uj", 2, "", 1e-3)),
            columns.DRAM_SHARE,
        ),
    ),
)
