"""Trainings with several seeds: while they are made a cell each, in the table one for all."""

from collections.abc import Iterable
from dataclasses import replace

from abacus.cells.cell import Cell, Outcome, Outcomes

Part = tuple[int | None, Outcome]  # a seed's


def expanded(cells: Iterable[Cell], seeds: list[int]) -> list[Cell]:
    """Seeded cells once for each seed; the others as they are."""
    return [
        one
        for cell in cells
        for one in ([replace(cell, seed=seed) for seed in seeds] if cell.seeded else [cell])
    ]


def folded(outcomes: Outcomes) -> Outcomes:
    """Outcomes by the table's cells. Of several seeds the first that ran gives cycles and energy;
    the notes tell all accuracies, and which seeds are missing."""
    groups: dict[Cell, list[Part]] = {}
    for cell, outcome in outcomes.items():
        whole = replace(cell, seed=None) if cell.seeded else cell
        groups.setdefault(whole, []).append((cell.seed, outcome))
    return {cell: fold(parts) if cell.seeded else parts[0][1] for cell, parts in groups.items()}


def fold(parts: list[Part]) -> Outcome:
    """The seeds' outcomes as one."""
    first = parts[0][1]
    seconds = sum(outcome.seconds for _, outcome in parts)
    there = [(seed, outcome, outcome.run) for seed, outcome in parts if outcome.run]
    if not there:
        return replace(first, seconds=seconds)
    _, first_there, run = there[0]
    whole = Outcome(
        run=run,
        runs={seed: of_seed for seed, _, of_seed in there},
        losses={seed: loss for _, outcome, _ in there for seed, loss in outcome.losses.items()},
        float_accuracy=first_there.float_accuracy,
        package=first_there.package,
        seconds=seconds,
    )
    names = ", ".join(str(seed) for seed, _, _ in there)
    values = ", ".join(f"{of_seed['accuracy_percent']:.2f}" for _, _, of_seed in there)
    whole.notes.append(f"seed{'s' if len(there) > 1 else ''} {names}: {values} %")
    by_note: dict[str, list[str]] = {}
    for seed, outcome, _ in there:
        for note in outcome.notes:
            by_note.setdefault(note, []).append(str(seed))
    for note, seeds in by_note.items():
        whole.notes.append(note if len(seeds) == len(there) else f"seed {', '.join(seeds)}: {note}")
    whole.notes += [f"seed {seed}: {outcome.reason}" for seed, outcome in parts if not outcome.run]
    return whole
