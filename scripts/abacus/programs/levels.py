"""`abacus-train levels`: what the weight quantizers round to."""

from dataclasses import dataclass

from abacus.programs.answer import malformed
from abacus.programs.programs import Programs


@dataclass(frozen=True)
class LevelSets:
    """Of one width: levels over the largest positive one, ascending, by the set's name ("post")."""

    levels: dict[str, list[float]]
    exponent_quantile: float  # of a channel's magnitudes: the scale of pot and post


def level_sets(programs: Programs, bits: int) -> LevelSets:
    """Those of weights of so many bits."""
    answer = programs.ask(programs.trainer(), "levels", "--bits", bits)
    try:
        return LevelSets(
            {one["name"]: list(map(float, one["levels"])) for one in answer["level_sets"]},
            float(answer["exponent_quantile"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("levels", "levels", error) from None
