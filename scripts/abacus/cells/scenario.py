"""A cell as a scenario of `abacus simulate`."""

import json
import pathlib

from abacus import places
from abacus.cells.cell import PTQ, SYNTHETIC, Cell
from abacus.cells.settings import Settings

ALL_IMAGES = 10000  # of a test set, for the fake-quantized accuracy
RANDOM_IMAGES = {"imagenet": ([3, 224, 224], 1000)}  # image and classes where there is no data set


def toml_text(value: object) -> str:
    """A TOML basic string takes JSON's escapes."""
    return json.dumps(str(value), ensure_ascii=False)


def toml_value(value: str) -> str:
    """An option as a scenario spells it: numbers and truths bare, texts quoted."""
    if value in ("true", "false"):
        return value
    try:
        float(value)
        return value
    except ValueError:
        return toml_text(value)


def image_lines(dataset: str) -> list[str]:
    """Whose images: a data set's, or random ones of its size."""
    if dataset not in RANDOM_IMAGES:
        return [f"dataset = {toml_text(dataset)}"]
    image, classes = RANDOM_IMAGES[dataset]
    return [f"image = {image}", f"classes = {classes}"]


def image_arguments(dataset: str) -> list[str]:
    """The same for a command line."""
    if dataset not in RANDOM_IMAGES:
        return ["--dataset", dataset]
    image, classes = RANDOM_IMAGES[dataset]
    return ["--image", ",".join(map(str, image)), "--classes", str(classes)]


def scenario_text(settings: Settings, cell: Cell, arithmetic: str, source: str) -> str:
    """`source`: the line that says where the weights are from."""
    images = settings.images if cell.images is None else cell.images
    lines = [
        f"name = {toml_text(cell.title)}",
        f"network = {toml_text(cell.network)}",
        f"arithmetic = {toml_text(arithmetic)}",
        *image_lines(cell.dataset),
        source,
        f"images = {images}",
        'level = "approximate"',
        "timed_images = 1",
        f"hardware.preset = {toml_text(settings.hardware)}",
    ]
    lines += [f"hardware.{name} = {toml_value(value)}" for name, value in cell.hardware]
    lines.append(f"energy.table = {toml_text(cell.energy or settings.energy)}")
    widths = [
        f"weight_bits = {cell.bits}",
        f"activation_bits = {cell.bits}",
        f"storage_bits = {cell.storage_bits}",
    ]
    if cell.kind == PTQ:
        options = cell.all_options()
        if settings.evaluate and cell.images is None:
            options["evaluate"] = str(settings.images or ALL_IMAGES)
        lines += ["", "[quantization]", f"scheme = {toml_text(cell.scheme)}", *widths]
        lines += [f"options.{name} = {toml_value(value)}" for name, value in options.items()]
    if cell.kind == SYNTHETIC:
        lines += ["", "[quantization]", *widths]
        lines += [f"{name} = {toml_value(value)}" for name, value in cell.options]
    return "\n".join(lines) + "\n"


def preset_files(settings: Settings, cell: Cell) -> list[pathlib.Path]:
    """The files behind the names of array and energy table, as far as they are there."""

    def file(folder: str, name: str) -> pathlib.Path:
        if "/" in name or name.endswith(".toml"):
            return pathlib.Path(name)
        return places.resource_folder() / "scenarios" / folder / f"{name}.toml"

    files = (file("hardware", settings.hardware), file("energy", cell.energy or settings.energy))
    return [one for one in files if one.is_file()]
