"""Where the scripts find what ships with them."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PUBLISHED = ROOT / "scripts" / "published"
CHECKPOINTS = ROOT / "scenarios" / "checkpoints"
BUILDS = [ROOT / "build" / preset / "bin" for preset in ("release", "trainer", "simulator")]


def resource_folder() -> pathlib.Path:
    """Where abacus finds hardware presets and energy tables."""
    home = os.environ.get("ABACUS_HOME")
    return pathlib.Path(home) if home else ROOT
