"""How well the level sets of the weight quantizers fit a trained CNN's weights, before any training
with them."""

import numpy as np

from .asq_figures import LEVEL_BITS, levels
from .errors import ReproductionError
from .files import write_csv
from .safetensors import read_tensors

# The largest level over the largest weight, 1/32 octave apart: from √2 down to 1/11.
SCALES = 2.0 ** (0.5 - np.arange(129) / 32)
QUANTILE = 0.99  # of a channel's magnitudes: the scale of POT and POST (ASQ's authors' code)

BEST, AT_QUANTILE = "best", "0.99-quantile"  # best: of least squared error
PER_LAYER, PER_CHANNEL = "layer", "channel"
# (levels, scale, of what there is one, how it is called). In `abacus-train qat` LSQ has a step for each
# output channel and trains it by the loss; POT and POST have their quantile of each channel.
SERIES = (("LSQ", BEST, PER_LAYER, "LSQ, best step of the layer"),
          ("LSQ", BEST, PER_CHANNEL, "LSQ, best step of each channel"),
          ("POT", AT_QUANTILE, PER_CHANNEL, "POT, 0.99-quantile of each channel"),
          ("POST", AT_QUANTILE, PER_CHANNEL, "POST, 0.99-quantile of each channel"),
          ("POST", BEST, PER_CHANNEL, "POST, best scale of each channel"))


def level_sets(bits):
    """Over the largest positive level, by name. LSQ's integers have one more negative level."""
    highest = 2 ** (bits - 1) - 1
    return {**levels(bits), "LSQ": [i / highest for i in range(-highest - 1, highest + 1)]}


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
    """‖w − ŵ‖ / ‖w‖ of a layer, output channel first, at the levels `of`."""
    channels = np.asarray(weights, dtype=np.float64).reshape(len(weights), -1)
    of = np.sort(np.asarray(of, dtype=np.float64))
    square = np.sum(channels**2)
    if square == 0:
        return 0.0
    parts = channels if per == PER_CHANNEL else [channels.ravel()]
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
        raise ReproductionError(f"{checkpoint.file}: found no weights of convolutions between the "
                                "edges; needed: F32 tensors layer….weight of 4 dimensions")
    for name, tensor in layers:
        if not np.isfinite(tensor).all():
            raise ReproductionError(f"{checkpoint.file}: {name}: found a weight that is not finite")
    return layers


def figure(name, settings, checkpoint):
    from asq_paper_figures import weights_at_levels
    from .figures import draw, name_of
    bits = settings.bits[0] if settings.bits else LEVEL_BITS
    sets = level_sets(bits)
    layers = quantized_layers(checkpoint)
    found, lines = {}, []
    for method, scale, per, words in SERIES:
        errors = [relative_error(weights, sets[method], scale, per) for _, weights in layers]
        mean = float(np.sqrt(np.mean(np.square(errors))))
        found[f"{words}: {100 * mean:.1f} %"] = errors
        lines += [[method, scale, per, layer, bits, f"{error:.6g}"]
                  for layer, error in zip([one for one, _ in layers] + ["root mean square"],
                                          errors + [mean])]
    write_csv(settings.out / f"{name}.csv",
              ["method", "scale", "per", "layer", "bits", "relative_error"], lines)
    draw(name, settings, weights_at_levels([layer for layer, _ in layers], found,
                                       f"{name_of(checkpoint)}, {bits} bits"))
