"""Trainings with several seeds: while they are made a cell each, in the table one for all."""

from dataclasses import replace

from .cells import Outcome


def expanded(cells, seeds):
    """Seeded cells once for each seed; the others as they are."""
    return [one for cell in cells
            for one in ([replace(cell, seed=seed) for seed in seeds] if cell.seeded else [cell])]


def folded(outcomes):
    """Outcomes by the table's cells. Of several seeds the first that ran gives cycles and energy;
    the notes tell all accuracies, and which seeds are missing."""
    groups = {}
    for cell, outcome in outcomes.items():
        whole = replace(cell, seed=None) if cell.seeded else cell
        groups.setdefault(whole, []).append((cell.seed, outcome))
    return {cell: fold(parts) if cell.seeded else parts[0][1] for cell, parts in groups.items()}


def fold(parts):
    first = parts[0][1]
    there = [(seed, outcome) for seed, outcome in parts if outcome.run]
    if not there:
        return replace(first, seconds=sum(outcome.seconds for _, outcome in parts))
    whole = Outcome(run=there[0][1].run, runs={seed: outcome.run for seed, outcome in there},
                    losses={seed: loss for _, outcome in there
                            for seed, loss in outcome.losses.items()},
                    float_accuracy=there[0][1].float_accuracy, package=there[0][1].package,
                    seconds=sum(outcome.seconds for _, outcome in parts))
    names = ", ".join(str(seed) for seed, _ in there)
    values = ", ".join(f"{outcome.run['accuracy_percent']:.2f}" for _, outcome in there)
    whole.notes.append(f"seed{'s' if len(there) > 1 else ''} {names}: {values} %")
    by_note = {}
    for seed, outcome in there:
        for note in outcome.notes:
            by_note.setdefault(note, []).append(str(seed))
    for note, seeds in by_note.items():
        whole.notes.append(note if len(seeds) == len(there)
                           else f"seed {', '.join(seeds)}: {note}")
    whole.notes += [f"seed {seed}: {outcome.reason}" for seed, outcome in parts if not outcome.run]
    return whole
