"""A figure's two files."""

from matplotlib.figure import Figure

from abacus.cells.settings import Settings
from abacus.errors import AbacusError


def save(name: str, settings: Settings, figure: Figure) -> None:
    """Both formats, and says so: SVG for pages, PNG for viewers."""
    for kind in ("svg", "png"):
        file = settings.out / f"{name}.{kind}"
        partial = file.with_name(f".{file.name}.partial.{kind}")
        metadata = {"Date": None} if kind == "svg" else None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(partial, bbox_inches="tight", dpi=130, metadata=metadata)
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise AbacusError(f"{file}: {error.strerror}") from None
        print(file)
