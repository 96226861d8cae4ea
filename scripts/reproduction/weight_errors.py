"""How well the level sets of the weight quantizers fit a trained CNN's weights, before any training
with them: with the scales that `abacus-train qat` gives them, and others."""

import numpy as np

from .asq_figures import LEVEL_BITS, levels, write_csv
from .errors import ReproductionError
from .safetensors import read_tensors

# The largest level over the largest weight, 1/32 octave apart: from √2 down to 1/11.
SCALES = 2.0 ** (0.5 - np.arange(129) / 32)
QUANTILE = 0.99  # of a channel's magnitudes: the scale of POT and POST (ASQ's authors' code)

BEST, AT_QUANTILE = "best", "0.99-quantile"
LAYER, CHANNEL = "layer", "channel"
# (level set, scale, one for each what, how it is called). LSQ trains the second.
SERIES = (("uniform", BEST, LAYER, "uniform, best scale of the layer"),
          ("uniform", BEST, CHANNEL, "uniform, best scale of each channel"),
          ("POT", AT_QUANTILE, CHANNEL, "POT, 0.99-quantile of each channel"),
          ("POST", AT_QUANTILE, CHANNEL, "POST, 0.99-quantile of each channel"),
          ("POST", BEST, CHANNEL, "POST, best scale of each channel"))


def squared_error(weights, of, scale):
    """Σ (w − ŵ)² with the levels `of`, sorted, times the scale."""
    borders = (of[1:] + of[:-1]) / 2
    return np.sum((weights - scale * of[np.searchsorted(borders, weights / scale)])**2)


def least_squared_error(weights, of):
    largest = np.abs(weights).max()
    if largest == 0:
        return 0.0
    return min(squared_error(weights, of, scale) for scale in SCALES * largest)


def relative_error(weights, of, scale, per):
    """‖w − ŵ‖ / ‖w‖ of a layer, output channel first; the largest of the levels `of` is 1."""
    channels = np.asarray(weights, dtype=np.float64).reshape(len(weights), -1)
    of = np.sort(np.asarray(of, dtype=np.float64))
    square = np.sum(channels**2)
    if square == 0:
        return 0.0
    parts = channels if per == CHANNEL else [channels.ravel()]
    if scale == BEST:
        error = sum(least_squared_error(part, of) for part in parts)
    else:
        error = sum(squared_error(part, of, np.quantile(np.abs(part), QUANTILE) or 1)
                    for part in parts)
    return float(np.sqrt(error / square))


def quantized_layers(checkpoint):
    """(name, weights) of a ResNet's convolutions between the edges."""
    layers = [(name.removesuffix(".weight"), tensor)
              for name, tensor in read_tensors(checkpoint.file).items()
              if name.startswith("layer") and name.endswith(".weight") and tensor.ndim == 4]
    if not layers:
        raise ReproductionError(f"{checkpoint.file}: it has no convolutions between its edges")
    for name, tensor in layers:
        if not np.isfinite(tensor).all():
            raise ReproductionError(f"{checkpoint.file}: {name}: found a weight that is not finite")
    return layers


def figure(name, settings, checkpoint):
    from asq_paper_figures import weight_errors
    from .figures import draw, name_of
    sets = levels(LEVEL_BITS)
    layers = quantized_layers(checkpoint)
    found, lines = {}, []
    for method, scale, per, words in SERIES:
        errors = [relative_error(weights, sets[method], scale, per) for _, weights in layers]
        mean = float(np.sqrt(np.mean(np.square(errors))))
        found[f"{words}: {100 * mean:.1f} %"] = errors
        lines += [[method, scale, per, layer, LEVEL_BITS, f"{error:.6g}"]
                  for layer, error in zip([one for one, _ in layers] + ["root mean square"],
                                          errors + [mean])]
    write_csv(settings.out / f"{name}.csv",
              ["method", "scale", "per", "layer", "bits", "relative_error"], lines)
    draw(name, settings, weight_errors([layer for layer, _ in layers], found,
                                       f"{name_of(checkpoint)}, {LEVEL_BITS} bits"))
