"""Where the scripts find what ships with them."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PUBLISHED = ROOT / "scripts" / "published"
CHECKPOINTS = ROOT / "scenarios" / "checkpoints"
PRESETS = ("release", "trainer", "simulator", "program")
BUILDS = [ROOT / "build" / preset / "bin" for preset in PRESETS]


def resource_folder() -> pathlib.Path:
    """Where abacus finds hardware presets and energy tables."""
    home = os.environ.get("ABACUS_HOME")
    return pathlib.Path(home) if home else ROOT
