"""A figure's two files."""

import io

from matplotlib.figure import Figure

from abacus.cells.settings import Settings
from abacus.output import say, write_output


def save(name: str, settings: Settings, figure: Figure) -> None:
    """Both formats, and says so: SVG for pages, PNG for viewers."""
    for kind in ("svg", "png"):
        file = settings.out / f"{name}.{kind}"
        content = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(content, format=kind, bbox_inches="tight", dpi=130, metadata=metadata)
        write_output(file, content.getvalue())
        say(file)
