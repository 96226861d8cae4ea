"""`abacus energy`: what a table says that actions cost, for what is counted by hand rather than by
the models."""

from abacus.errors import AbacusError
from abacus.programs.answer import malformed
from abacus.programs.programs import Programs


class Prices:
    """Of one energy table, at the widths asked for; actions of memories, whose price follows from
    their size, are not among them."""

    def __init__(self, programs: Programs, table: str, widths: tuple[int, ...]) -> None:
        self.table = table
        answer = programs.ask(
            programs.abacus(), "energy", table, "--bits", ",".join(map(str, widths))
        )
        try:
            self._prices = {
                (one["action"], one["bits"]): float(one["pj"]) for one in answer["prices"]
            }
        except (KeyError, TypeError, ValueError) as error:
            raise malformed("energy", "prices", error) from None

    def picojoules(self, action: str, bits: int) -> float:
        """Of one action on operands of this width."""
        if (action, bits) not in self._prices:
            raise AbacusError(f"energy table {self.table}: no price of {action} at {bits} bits")
        return self._prices[action, bits]
