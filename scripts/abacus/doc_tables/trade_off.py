"""The picture of a scenario's runs: accuracy against energy, with the front."""

import io
import pathlib

from abacus import frames, plots
from abacus.output import say, write_output

TITLE = "ResNet-20 on 10,000 images of Fashion-MNIST: nine accelerators"


def draw(results: pathlib.Path, file: pathlib.Path) -> None:
    """Writes it as SVG, the same for the same results."""
    figure = plots.trade_off(frames.runs(results), title=TITLE)
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    write_output(file, content.getvalue())
    say(file)
