"""Stand-ins for abacus and abacus-train: they note their calls and write or say what the real ones
would, in an instant.

Files in their folder change what they do: `slow` (a simulation waits), `fails` (those whose title
has the file's text), `short` (answers lack what is needed), `says` (what an evaluation says)."""

import hashlib
import json
import os
import pathlib
import stat
import struct
import sys
import time
import tomllib
from typing import Any

TESTS = pathlib.Path(__file__).resolve().parent
SCRIPTS = TESTS.parent.parent / "scripts"
TINY_RESULTS = TESTS / "report" / "tiny_results.json"

PROGRAM = """#!/usr/bin/python3
import sys
sys.path[:0] = [{tests!r}, {scripts!r}]
import fake_programs
fake_programs.{main}({folder!r}, sys.argv[1:])
"""


def write_programs(folder: pathlib.Path) -> None:
    """Both, into the folder."""
    for name, main in (("abacus", "abacus"), ("abacus-train", "trainer")):
        file = folder / name
        file.write_text(
            PROGRAM.format(tests=str(TESTS), scripts=str(SCRIPTS), main=main, folder=str(folder))
        )
        os.chmod(file, stat.S_IRWXU)


class Call:
    """One call: its command and options, written --name value or --name=value."""

    def __init__(self, folder: str, program: str, words: list[str]) -> None:
        self.folder = pathlib.Path(folder)
        self.command = words[0]
        self.words = words
        self.options: dict[str, str] = {}
        for i, word in enumerate(words):
            name, equals, value = word.partition("=")
            self.options[name] = value if equals else (words + [""])[i + 1]
        with open(self.folder / "calls", "a", encoding="utf-8") as calls:
            calls.write(" ".join([program] + words) + "\n")

    def has(self, file: str) -> bool:
        """Whether the test wants it so."""
        return (self.folder / file).exists()

    def text(self, file: str) -> str:
        """What the test says there."""
        return (self.folder / file).read_text()

    def answer(self, **fields: Any) -> None:
        """As --json does."""
        assert "--json" in self.words, self.words
        print(json.dumps({"command": self.command, "schema": 1, **fields}))


def abacus(folder: str, words: list[str]) -> None:
    """The simulator."""
    call = Call(folder, "abacus", words)
    if call.command == "describe":
        call.answer(network=call.options["--network"], layers=described_layers(call.has("short")))
    elif call.command == "energy":
        call.answer(table=words[1], prices=prices(words[1], call.options["--bits"]))
    else:
        simulate(call)


def trainer(folder: str, words: list[str]) -> None:
    """The trainer."""
    call = Call(folder, "abacus-train", words)
    if call.command == "evaluate":
        if call.has("says"):
            print(call.text("says"))
        else:
            call.answer(accuracy_percent=93.1, images=10000)
    elif call.command == "activations":
        call.answer(layers=compared_layers(call.options, call.has("short")))
    elif call.command == "statistics":
        call.answer(layers=watched_layers(call.options))
    elif call.command == "levels":
        call.answer(**levels(int(call.options["--bits"])))
    elif call.command == "recipe":
        call.answer(**recipe(pathlib.Path(call.options["--package"])))
    else:
        train(call)


def simulate(call: Call) -> None:
    """Writes results.json."""
    out = pathlib.Path(call.options["--out"])
    scenario = tomllib.loads(pathlib.Path(call.words[1]).read_text())
    title = scenario["name"]
    if call.has("slow"):
        (call.folder / "started").write_text(title)
        time.sleep(60)
    if call.has("fails") and call.text("fails") in title:
        sys.exit("abacus: s.toml:1:1: something is wrong")
    quantization = scenario.get("quantization", {})
    groups = int(quantization.get("options", {}).get("groups", 4))
    accuracy: float | None = 90 + quantization.get("weight_bits", 4) / 10
    float_accuracy: float | None = 91.83
    if "package" in scenario:
        accuracy = accuracy_of_package(pathlib.Path(scenario["package"]))
    if "weights" in scenario:
        accuracy = float_accuracy = None
    results = json.loads(TINY_RESULTS.read_text())
    run = {
        **results["runs"][0],
        "accuracy_percent": accuracy,
        "float_accuracy_percent": float_accuracy,
        "fake_quantized_accuracy_percent": None,
        "images": scenario["images"] or 10000,
        "cycles_per_image": 1000 * groups,
        "energy_per_image_uj": 10.5,
        "activity_per_image": [
            counted("pe_array", "add", 16, 0, 1000),
            counted("read_quantizer", "multiply", 8, 16, 10 * groups),
            counted("edge_array", "multiply", 8, 8, 500),
            counted("dram", "dram_read", 128, 0, 64),
        ],
        **layers_of_run(scenario),
    }
    out.mkdir(parents=True, exist_ok=True)
    results["runs"] = [run]
    results["times"]["seconds"] = 2.0
    (out / "results.json").write_text(json.dumps(results))


def counted(component: str, action: str, bits_a: int, bits_b: int, count: int) -> dict[str, Any]:
    """An entry of the activity."""
    return {
        "component": component,
        "action": action,
        "bits_a": bits_a,
        "bits_b": bits_b,
        "count": count,
        "pj_each": 0.5,
    }


def train(call: Call) -> None:
    """Writes a package and the training's metrics."""
    options = call.options
    out = pathlib.Path(options["--out"])
    scheme = options["--scheme"]
    if "--weight-quantizer" in options:
        scheme = f"{options['--weight-quantizer']}-{options['--activation-quantizer']}"
    recorded = [
        f"{name[2:]}={float(value).hex() if name == '--lr' else value}"
        for name, value in options.items()
        if name in ("--lr", "--gradient-clip", "--train-on", "--flip")
    ]
    write_package(
        out,
        "resnet20",
        "cifar10",
        scheme + "-qat",
        int(options["--weight-bits"]),
        pathlib.Path(options["--checkpoint"]),
        options.get("--seed"),
        f"epochs={options['--epochs']} " + " ".join(recorded),
    )
    lines = ["epoch,lr,train_loss,train_accuracy_percent,validation_accuracy_percent,seconds"]
    for epoch in range(int(options["--epochs"])):
        seed = int(options.get("--seed", 1))
        loss = 0.2 + 0.001 * epoch + 0.1 * seed - 0.05 * ("asq" in scheme)
        lines.append(f"{epoch + 1},0.001,{loss},{80 + epoch},{79 + epoch},30")
    out.with_suffix(".csv").write_text("\n".join(lines) + "\n")


def write_safetensors(file: pathlib.Path, metadata: dict[str, str]) -> None:
    """Without tensors."""
    header = json.dumps({"__metadata__": metadata}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header)


def read_metadata(file: pathlib.Path) -> dict[str, str]:
    """Of such a file."""
    content = file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def write_checkpoint(
    file: pathlib.Path,
    network: str = "resnet20",
    arithmetic: str = "adder",
    dataset: str = "cifar10",
    accuracy: str = "91.83",
) -> None:
    """A trained network."""
    metadata = {
        "format": "abacus-checkpoint-1",
        "network": network,
        "arithmetic": arithmetic,
        "dataset": dataset,
        "float_accuracy_percent": accuracy,
        "epochs": "400",
    }
    write_safetensors(file, metadata)


ARITHMETICS = {"pot": "shift", "post": "post", "apot": "apot", "lsq": "cnn"}


def write_package(
    file: pathlib.Path,
    network: str,
    dataset: str,
    scheme: str,
    bits: int,
    checkpoint: pathlib.Path | None = None,
    seed: int | str | None = None,
    recipe: str = "",
) -> None:
    """An integer network package of two layers."""
    trained_from = hashlib.sha256(checkpoint.read_bytes()).hexdigest() if checkpoint else "unknown"
    arithmetic = ARITHMETICS.get(scheme.partition("-")[0], "adder")
    origin = {
        "network": network,
        "arithmetic": arithmetic,
        "dataset": dataset,
        "scheme": scheme,
        "weight_bits": bits,
        "activation_bits": bits,
        "checkpoint_sha256": trained_from,
    }
    layers = [
        {"name": "conv1", "arithmetic": "cnn", "fraction_bits": 0},
        {
            "name": "layer1.0.conv1",
            "arithmetic": "post" if arithmetic == "post" else "cnn",
            "fraction_bits": 8 if arithmetic == "post" else 0,
        },
    ]
    metadata = {
        "format": "abacus integer network 1",
        "network": json.dumps({"origin": origin, "layers": layers}),
    }
    if seed is not None or recipe:
        own = "" if seed is None else f" seed={seed}"
        metadata["recipe"] = f"qat-version=2 scheme={scheme} {recipe} plan: version=2{own} flip=1"
    write_safetensors(file, metadata)


# What recipes leave out where it is the default.
LEFT_OUT = {
    "precision": "float32",
    "optimizer": "sgd",
    "adder-gradient": "addernet",
    "train-images": 0,
    "post-levels": 0,
    "adapter-start": "one",
}


def recipe(package: pathlib.Path) -> dict[str, Any]:
    """Options of training and plan; nothing of a package that does not tell."""
    text = read_metadata(package).get("recipe")
    if text is None:
        return {"training": None, "plan": None}
    training, plan = (
        {name: recipe_value(value) for name, _, value in (w.partition("=") for w in part.split())}
        for part in text.split(" plan: ")
    )
    return {"training": {**LEFT_OUT, **training}, "plan": {"fraction-bits": None, **plan}}


def recipe_value(text: str) -> str | float:
    """A number where it is one."""
    try:
        return float.fromhex(text) if "0x" in text else float(text)
    except ValueError:
        return text


def accuracy_of_package(file: pathlib.Path) -> float:
    """By quantizers, bits, seed and fraction bits: LSQ < ASQ < ASQ + POST, a seed 0.3 points."""
    network = json.loads(read_metadata(file)["network"])
    scheme = network["origin"]["scheme"]
    accuracy: float = 90 + network["origin"]["weight_bits"] / 10
    accuracy += {
        "pot-lsq-qat": 0.05,
        "post-lsq-qat": 0.5,
        "lsq-asq-qat": 1.0,
        "post-asq-qat": 2.0,
    }.get(scheme, 0)
    plan = recipe(file)["plan"] or {}
    accuracy += 0.3 * (int(plan.get("seed", 1)) - 1)
    if network["layers"][1]["arithmetic"] == "post":
        accuracy -= 0.1 * (8 - network["layers"][1]["fraction_bits"])
    return accuracy


def levels(bits: int) -> dict[str, Any]:
    """By the papers' formulas; APoT's terms of 4 bits alone."""
    highest = 2 ** (bits - 1) - 1
    positive = {
        "uniform": [i / highest for i in range(1, highest + 1)],
        "pot": [2.0**-i for i in range(highest)],
        "post": [2.0 ** (-i / 2) for i in range(highest)],
        "apot": sorted({a + b for a in (0, 0.5, 0.25, 1 / 16) for b in (0, 1 / 8)} - {0}),
    }
    sets = {
        name: sorted([0.0] + [sign * one / max(of) for one in of for sign in (1, -1)])
        for name, of in positive.items()
    }
    sets["lsq"] = [i / highest for i in range(-highest - 1, highest + 1)]
    return {
        "bits": bits,
        "exponent_quantile": 0.99,
        "level_sets": [{"name": name, "levels": of} for name, of in sets.items()],
    }


# pJ of an addition and a shift, of 8 and of 32 bits.
UNIT_ENERGIES = {
    "shiftadd-papers": {"add": {8: 0.03, 32: 0.9}, "shift": {8: 0.024, 32: 0.13}},
    "horowitz-45nm": {"add": {8: 0.03, 32: 0.1}, "shift": {8: 0.024, 32: 0.13}},
    "accelergy-40nm": {
        "add": {8: 0.0857 / 4, 32: 0.0857},
        "shift": {8: 0.417 / 4, 32: 0.417},
    },
}


def prices(table: str, widths: str) -> list[dict[str, Any]]:
    """At these widths."""
    return [
        {"action": action, "bits": bits, "pj": by_width[bits]}
        for action, by_width in UNIT_ENERGIES[table].items()
        for bits in map(int, widths.split(","))
    ]


def compared_layers(options: dict[str, str], short: bool = False) -> list[dict[str, Any]]:
    """Four layers, two of them a block's last; ASQ's errors are half of LSQ's."""
    asq = "-asq-" in options["--package"]
    layers = []
    for i, name in enumerate(["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1"]):
        layer: dict[str, Any] = {
            "layer": name,
            "ends_block": name in ("layer1.0.conv2", "layer2.0.conv1"),
            "quantizes": name != "conv1",
            "histograms": {},
        }
        quantities = ["output_norm", "output_error"]
        if name != "conv1":
            quantities += [
                "step_factor",
                "input_norm",
                "input_error",
                "common_step_error",
                "own_step_error",
                "levels_used",
            ]
        for quantity in quantities[:1] if short else quantities:
            mean = (
                (i + 1)
                * (0.5 if asq and "error" in quantity else 1)
                * {"common_step_error": 0.75, "own_step_error": 0.25}.get(quantity, 1)
            )
            layer[quantity] = {
                "mean": mean,
                "deviation": 0.1,
                "lowest": mean - 0.2,
                "highest": mean + 0.2,
            }
        for kind in ("level", "stored", "quantized") if name == options.get("--histogram") else ():
            layer["histograms"][kind] = [[at - 0.5, at + 0.5, 100 - 20 * at] for at in range(4)]
        layers.append(layer)
    return layers


def watched_layers(options: dict[str, str]) -> list[dict[str, Any]]:
    """Three layers of eight channels; the activations of the one asked for are 0 to 4, its weights
    −1 to 1."""

    def tensor(largest: float, histogram: list[list[float]] | None) -> dict[str, Any]:
        shares = (0.5, 0.9, 0.99, 0.999, 0.9999)
        found: dict[str, Any] = {
            "maximum": largest,
            "quantiles": [{"share": one, "magnitude": one * largest} for one in shares],
        }
        if histogram:
            found["histogram"] = histogram
        return found

    layers = []
    for name, arithmetic in (("conv1", "cnn"), ("layer1.1.conv2", "adder"), ("fc", "cnn")):
        wanted = name == options.get("--histogram")
        bins = [[at / 50, (at + 1) / 50, 1000 - 4 * at] for at in range(200)] if wanted else None
        even = [[at / 50 - 1, (at + 1) / 50 - 1, 10 + at % 7] for at in range(100)]
        weight = tensor(1.0, even if wanted else None)
        weight["channel_maxima"] = [1 - 0.05 * channel for channel in range(8)]
        layers.append(
            {
                "layer": name,
                "arithmetic": arithmetic,
                "activation": tensor(4.0, bins),
                "weight": weight,
                "weight_relative": {"histogram": even} if wanted else {},
            }
        )
    return layers


def described_layers(short: bool = False) -> list[dict[str, Any]]:
    """What `abacus describe` says of ResNet-18 at 224 × 224: the real counts, by its shapes."""
    rows: list[tuple[str, int, int, int, int, bool]] = [("conv1", 3, 64, 7, 112, False)]
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, size = f"layer{stage + 1}.{block}", 56 >> stage
            inputs = channels if block or stage == 0 else channels // 2
            rows.append((f"{name}.conv1", inputs, channels, 3, size, True))
            if block == 0 and stage > 0:
                rows.append((f"{name}.downsample.0", inputs, channels, 1, size, True))
            rows.append((f"{name}.conv2", channels, channels, 3, size, True))
    rows.append(("fc", 512, 1000, 1, 1, False))
    layers = []
    for name, inputs, outputs, kernel, size, adapts in rows:
        weights, hidden = inputs * outputs * kernel**2, inputs // 4
        adapter = (hidden * (inputs + 1), hidden + 1) if adapts else (0, 0)
        layer = {
            "layer": name,
            "kind": "convolution",
            "kernel": kernel,
            "taps": weights * size**2,
            "weights": weights,
            "output_channels": outputs,
            "adapter_weights": adapter[0],
            "adapter_biases": adapter[1],
            "adapter_operations": adapter[0],
        }
        if short:
            del layer["adapter_weights"]
        layers.append(layer)
    norm = dict.fromkeys(layers[0], 0) | {"layer": "layer1.0.bn1", "kind": "batch_norm"}
    return [*layers, norm | {"kernel": None, "weights": 64, "output_channels": 64}]


def layers_of_run(scenario: dict[str, Any]) -> dict[str, Any]:
    """One block of ResNet-20: of ShiftAddNet two layers; with ASQ 100 cycles, 0.5 µJ dearer."""

    def layer(
        name: str, taps: int, cycles: int, array: str = "array", adapter: int = 0, energy: float = 2
    ) -> dict[str, Any]:
        units = {"step_adapter": {"busy_cycles": adapter, "stalled_cycles": adapter // 10}}
        return {
            "name": name,
            "kind": "convolution",
            "output_tiles": 1,
            "groups": 1,
            "saturations": 0,
            "pe_utilisation": 0.5,
            "array": array,
            "macs_or_taps": taps,
            "cycles": cycles,
            "energy_uj": energy,
            "units": units if adapter else {},
        }

    asq = bool(scenario.get("quantization", {}).get("adapters"))
    shift_add = scenario["arithmetic"] == "shiftaddnet"
    block = [layer("layer1.0.conv1", 1000, 900 + 100 * asq, "array", 100 * asq, 2 + 0.5 * asq)]
    if shift_add:
        block = [
            layer("layer1.0.conv1.shift", 500, 450),
            layer("layer1.0.conv1.adder", 1000, 900),
        ]
    more = 2 if shift_add else 1
    return {
        "layers": [layer("conv1", 300, 100, "edge_array")] + block,
        "cycles_per_image": 4000 * more + 100 * asq,
        "energy_per_image_uj": 10.5 * more + 0.5 * asq,
        "energy_by_component_uj": {
            "pe_array": 4.0 * more,
            "dram": 6.5 * more,
            "step_adapter": 0.25 * asq,
            "vector_unit": 0.0,
        },
        "energy_by_action_uj": {
            "add": 1.0 * more,
            "absolute_difference": 0.5,
            "shift": 0.25 * (more - 1),
            "multiply": 0.5,
            "table_read": 0.125 * (scenario["arithmetic"] == "post"),
            "dram_read": 6.5 * more,
        },
    }
