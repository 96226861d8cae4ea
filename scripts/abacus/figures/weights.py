"""How well the level sets of the weight quantizers fit a trained CNN's weights, before any training
with them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from abacus.checkpoint import Checkpoint
from abacus.errors import AbacusError
from abacus.figures.asq_plots import weights_at_levels
from abacus.figures.request import MakeFigure, Request, name_of
from abacus.figures.saving import save
from abacus.files import write_csv
from abacus.programs.levels import level_sets
from abacus.safetensors import read_tensors

Array = NDArray[np.float64]

USUAL_BITS = 4
# The largest level over the largest weight, 1/32 octave apart: from √2 down to 1/11.
SCALES: Array = 2.0 ** (0.5 - np.arange(129) / 32)
BEST = "best"  # scale: of least squared error; the others are a quantile of a channel's magnitudes
PER_LAYER, PER_CHANNEL = "layer", "channel"


def quantile_name(quantile: float) -> str:
    """As a scale is called in the figure and its file."""
    return f"{quantile:g}-quantile"


def relative_error(weights: ArrayLike, levels: Sequence[float], per: str, quantile: float) -> float:
    """‖w − ŵ‖ / ‖w‖ of a layer, output channel first, at the levels times a quantile of the
    magnitudes; of a quantile of 0 at the scale of least error."""
    channels = np.asarray(weights, dtype=np.float64)
    channels = channels.reshape(len(channels), -1)
    ascending = np.sort(np.asarray(levels, dtype=np.float64))
    square = np.sum(channels**2)
    if square == 0:
        return 0.0
    parts = list(channels) if per == PER_CHANNEL else [channels.ravel()]
    if quantile == 0:
        error = sum(least_squared_error(part, ascending) for part in parts)
    else:
        error = sum(
            squared_error(part, ascending, float(np.quantile(np.abs(part), quantile)) or 1.0)
            for part in parts
        )
    return float(np.sqrt(error / square))


def squared_error(weights: Array, levels: Array, scale: float) -> float:
    """Σ (w − ŵ)² with the levels, sorted, times the scale."""
    borders = (levels[1:] + levels[:-1]) / 2
    nearest = levels[np.searchsorted(borders, weights / scale)]
    return float(np.sum((weights - scale * nearest) ** 2))


def least_squared_error(weights: Array, levels: Array) -> float:
    """At the best of SCALES."""
    largest = np.abs(weights).max()
    if largest == 0:
        return 0.0
    return min(squared_error(weights, levels, scale) for scale in SCALES * largest)


def quantized_layers(checkpoint: Checkpoint) -> list[tuple[str, NDArray[np.float32]]]:
    """(name, weights) of a ResNet's convolutions between the edges."""
    layers = [
        (name.removesuffix(".weight"), tensor)
        for name, tensor in read_tensors(checkpoint.file).items()
        if name.startswith("layer") and name.endswith(".weight") and tensor.ndim == 4
    ]
    if not layers:
        raise AbacusError(
            f"{checkpoint.file}: found no weights of convolutions between the "
            "edges; needed: F32 tensors layer….weight of 4 dimensions"
        )
    for name, tensor in layers:
        if not np.isfinite(tensor).all():
            raise AbacusError(f"{checkpoint.file}: {name}: found a weight that is not finite")
    return layers


def figure(request: Request) -> None:
    """In `abacus-train qat` LSQ has a step for each output channel and trains it by the loss; POT
    and POST have their quantile of each channel."""
    checkpoint = request.checkpoint("cnn")
    bits = request.bits(USUAL_BITS)
    layers = quantized_layers(checkpoint)
    sets = level_sets(request.programs, bits)
    quantile = sets.exponent_quantile
    # (levels, quantile or 0 for the best scale, of what there is one scale, how it is called)
    series = (
        ("LSQ", 0.0, PER_LAYER, "LSQ, best step of the layer"),
        ("LSQ", 0.0, PER_CHANNEL, "LSQ, best step of each channel"),
        ("POT", quantile, PER_CHANNEL, f"POT, {quantile_name(quantile)} of each channel"),
        ("POST", quantile, PER_CHANNEL, f"POST, {quantile_name(quantile)} of each channel"),
        ("POST", 0.0, PER_CHANNEL, "POST, best scale of each channel"),
    )
    drawn, lines = {}, []
    for method, share, per, words in series:
        levels = sets.levels[method.lower()]
        errors = [relative_error(weights, levels, per, share) for _, weights in layers]
        mean = float(np.sqrt(np.mean(np.square(errors))))
        drawn[f"{words}: {100 * mean:.1f} %"] = errors
        scale = quantile_name(share) if share else BEST
        lines += [
            [method, scale, per, layer, bits, f"{error:.6g}"]
            for layer, error in zip(
                [name for name, _ in layers] + ["root mean square"], errors + [mean]
            )
        ]
    write_csv(
        request.settings.out / f"{request.name}.csv",
        ["method", "scale", "per", "layer", "bits", "relative_error"],
        lines,
    )
    title = f"{name_of(checkpoint)}, {bits} bits"
    plot = weights_at_levels([name for name, _ in layers], drawn, title)
    save(request.name, request.settings, plot)


FIGURES: dict[str, MakeFigure] = {"asq-weights": figure}
