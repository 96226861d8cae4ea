"""What the user asked for."""

import pathlib
from dataclasses import dataclass

OptionSetting = tuple[str, str, str]  # scheme or "", name, value


@dataclass(frozen=True)
class Settings:
    """The arguments of scripts/reproduce, checked (docs/reproduce.md)."""

    table: str
    out: pathlib.Path
    packages: pathlib.Path
    data: pathlib.Path | None
    bin: pathlib.Path | None
    checkpoint: list[pathlib.Path]
    dataset: list[str]
    images: int
    bits: list[int]  # empty: those of the table
    qat_epochs: int | None
    seeds: list[int]
    option: list[OptionSetting]
    hardware: str
    energy: str
    evaluate: bool
    keep_going: bool
    jobs: int

    @property
    def runs(self) -> pathlib.Path:
        """Folder of what is kept between calls."""
        return self.out / "runs"
