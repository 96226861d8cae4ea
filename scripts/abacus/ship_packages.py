"""Makes the integer packages that ship with the scenarios (scenarios/packages), so that those
scenarios need no trainer. Needs abacus with abacus-train beside it or on PATH."""

import argparse
import json
import os
import pathlib
import re
import sys
import tempfile
from typing import Any

from abacus import places
from abacus.errors import AbacusError, Stopped
from abacus.output import say, write_output
from abacus.package import parsed_network
from abacus.programs import process
from abacus.safetensors import read_header, read_metadata

FOLDER = places.ROOT / "scenarios" / "packages"
SCENARIOS = ["first", "demo"]
OTHER_PROCESSOR = 77  # exit status; CTest takes it for a test that was skipped
PROCESSOR = re.compile(r" threads=\S+ kernels=\S+$")


def ship_name(origin: dict[str, Any]) -> str:
    """resnet20-fashion-mnist-adder-4.safetensors."""
    what = [origin[key] for key in ("network", "dataset", "arithmetic")]
    return "-".join([*what, str(origin["weight_bits"])]) + ".safetensors"


def home_without_packages(folder: pathlib.Path) -> pathlib.Path:
    """For ABACUS_HOME: what abacus reads, but for the packages that it would find there."""
    scenarios = folder / "home" / "scenarios"
    scenarios.mkdir(parents=True)
    for part in (places.ROOT / "scenarios").iterdir():
        if part != FOLDER:
            (scenarios / part.name).symlink_to(part)
    return scenarios.parent


def made(scenario: str, programs: pathlib.Path | None, folder: pathlib.Path) -> list[pathlib.Path]:
    """All packages that a shipped scenario's checkpoints and recipes give."""
    os.environ["ABACUS_HOME"] = str(home_without_packages(folder))
    cache = folder / "cache"
    process.run(
        [
            *(process.find_program("abacus", programs), "simulate"),
            *(places.ROOT / "scenarios" / f"{scenario}.toml", "--set", "level=functional"),
            *("--images", 1, "--jobs", 1, "--cache", cache, "--out", folder / "results"),
        ]
    )
    return sorted(cache.glob("*.safetensors"))


def differs(file: pathlib.Path, shipped: pathlib.Path) -> str:
    """Why the two are not the same package; empty where they are, byte for byte. Another processor
    may round differently: OtherProcessor."""
    if not shipped.is_file():
        return f"{shipped}: it is not there"
    if file.read_bytes() == shipped.read_bytes():
        return ""
    ours, theirs = (read_metadata(one).get("recipe", "") for one in (file, shipped))
    if ours != theirs and PROCESSOR.sub("", ours) == PROCESSOR.sub("", theirs):
        raise OtherProcessor(f"{shipped}: made on another processor; made here: {ours}")
    return f"{shipped}: found another package; its recipe gives other bytes here"


class OtherProcessor(Exception):
    """Bytes cannot be compared here."""


def check_or_write(scenario: str, programs: pathlib.Path | None, check: bool) -> list[str]:
    """The differences that were found."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        for file in made(scenario, programs, pathlib.Path(name)):
            network = parsed_network(file, read_header(file)[0])
            shipped = FOLDER / ship_name(network["origin"])
            if check:
                found.append(differs(file, shipped))
            else:
                write_output(shipped, file.read_bytes())
                say(shipped)
    return [one for one in found if one]


def main(argv: list[str]) -> None:
    """Ends the program with its exit status."""
    parser = argparse.ArgumentParser(prog="scripts/ship-packages", description=__doc__)
    parser.add_argument(
        "scenario", nargs="?", default="demo", choices=SCENARIOS, help="whose; default: demo"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit status 1 if a shipped package is not what its recipe gives, "
        f"{OTHER_PROCESSOR} if it was made on another processor",
    )
    parser.add_argument("--bin", type=pathlib.Path, help="folder of abacus and abacus-train")
    arguments = parser.parse_args(argv)
    process.stop_on_signals()
    try:
        found = check_or_write(arguments.scenario, arguments.bin, arguments.check)
    except Stopped:
        sys.exit(process.STOPPED_STATUS)
    except OtherProcessor as error:
        print(f"scripts/ship-packages: {error}", file=sys.stderr)
        sys.exit(OTHER_PROCESSOR)
    except (AbacusError, OSError, KeyError, json.JSONDecodeError) as error:
        sys.exit(f"scripts/ship-packages: {error}")
    for text in found:
        print(f"scripts/ship-packages: {text}", file=sys.stderr)
    sys.exit(1 if found else 0)
