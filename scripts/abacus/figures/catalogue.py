"""All figures by name. Matplotlib and NumPy take a second to load: only where one is drawn."""

from abacus.figures.request import MakeFigure, Request

ADDERQUANT = ("figure1", "figure2", "figure4", "figure5", "figure6")
ASQ = ("asq-figure3", "asq-figure4", "asq-figure5", "asq-figure6")
WEIGHTS = ("asq-weights",)
NAMES = ADDERQUANT + ASQ + WEIGHTS


def figures_with(name: str) -> dict[str, MakeFigure]:
    """The figures of the module that has this one."""
    if name in ADDERQUANT:
        from abacus.figures import adderquant

        return adderquant.FIGURES
    if name in ASQ:
        from abacus.figures import asq

        return asq.FIGURES
    from abacus.figures import weights

    return weights.FIGURES


def make(request: Request) -> None:
    """Draws the figure, and writes what it shows."""
    figures_with(request.name)[request.name](request)
