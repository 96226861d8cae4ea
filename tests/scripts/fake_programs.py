"""Stand-ins for abacus and abacus-train: they note their calls and write what the real ones would,
in an instant."""

import hashlib
import json
import os
import pathlib
import stat
import struct
import sys

ABACUS = '''#!/usr/bin/python3
import json, os, pathlib, sys, time, tomllib
folder = pathlib.Path({folder!r})
with open(folder / "calls", "a") as calls:
    calls.write(" ".join(["abacus"] + sys.argv[1:]) + "\\n")
sys.path.insert(0, {tests!r})
from fake_programs import accuracy_of_package, layers_of_run, write_layers
if sys.argv[1] == "describe":
    write_layers(sys.argv[sys.argv.index("--csv") + 1], (folder / "short").exists())
    sys.exit()
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
scenario = tomllib.loads(pathlib.Path(sys.argv[2]).read_text())
title = scenario["name"]
if (folder / "slow").exists():
    (folder / "started").write_text(title)
    time.sleep(60)
if (folder / "fails").exists() and (folder / "fails").read_text() in title:
    sys.exit("abacus: s.toml:1:1: something is wrong")
quantization = scenario.get("quantization", {{}})
groups = int(quantization.get("options", {{}}).get("groups", 4))
bits = quantization.get("weight_bits", 4)
accuracy = 90 + bits / 10
if "package" in scenario:
    accuracy = accuracy_of_package(scenario["package"])
run = {{"accuracy_percent": accuracy, "float_accuracy_percent": 91.83,
       "fake_quantized_accuracy_percent": None, "images": scenario["images"] or 10000,
       "cycles_per_image": 1000 * groups, "energy_per_image_uj": 10.5,
       "activity_per_image": [
           {{"component": "pe_array", "action": "add", "bits_a": 16, "bits_b": 0, "count": 1000}},
           {{"component": "read_quantizer", "action": "multiply", "bits_a": 8, "bits_b": 16,
             "count": 10 * groups}},
           {{"component": "edge_array", "action": "multiply", "bits_a": 8, "bits_b": 8,
             "count": 500}},
           {{"component": "dram", "action": "dram_read", "bits_a": 128, "bits_b": 0, "count": 64}}]}}
if "weights" in scenario:
    run.update(accuracy_percent=None, float_accuracy_percent=None)
run.update(layers_of_run(scenario))
out.mkdir(parents=True, exist_ok=True)
(out / "results.json").write_text(json.dumps(
    {{"schema": 1, "runs": [run], "times": {{"seconds": 2.0}}}}))
'''

TRAINER = '''#!/usr/bin/python3
import pathlib, sys
sys.path.insert(0, {tests!r})
from fake_programs import write_activations, write_package
folder = pathlib.Path({folder!r})
with open(folder / "calls", "a") as calls:
    calls.write(" ".join(["abacus-train"] + sys.argv[1:]) + "\\n")
if sys.argv[1] == "evaluate":
    print((folder / "says").read_text() if (folder / "says").exists() else "93.10 % of 10000 images")
    sys.exit()
if sys.argv[1] == "activations":
    write_activations(sys.argv, (folder / "short").exists())
    sys.exit()
options = {{}}
for i, word in enumerate(sys.argv):
    name, equals, value = word.partition("=")
    options[name] = value if equals else (sys.argv + [""])[i + 1]
def option(name):
    return options[name]
out = pathlib.Path(option("--out"))
scheme = option("--scheme")
if "--weight-quantizer" in options:
    scheme = option("--weight-quantizer") + "-" + option("--activation-quantizer")
write_package(out, "resnet20", "cifar10", scheme + "-qat", int(option("--weight-bits")),
              option("--checkpoint"), options.get("--seed"),
              f"epochs={{option('--epochs')}} " + " ".join(
                  f"{{name[2:]}}={{float(value).hex() if name == '--lr' else value}}"
                  for name, value in options.items() if "=" not in name and name.startswith("--")
                  and name in ("--lr", "--gradient-clip", "--train-on", "--flip")))
lines = ["epoch,lr,train_loss,train_accuracy_percent,validation_accuracy_percent,seconds"]
for epoch in range(int(option("--epochs"))):
    loss = 0.2 + 0.001 * epoch + 0.1 * int(options.get("--seed", 1)) - 0.05 * ("asq" in scheme)
    lines.append(f"{{epoch + 1}},0.001,{{loss}},{{80 + epoch}},{{79 + epoch}},30")
out.with_suffix(".csv").write_text("\\n".join(lines) + "\\n")
'''


def write_safetensors(file, metadata):
    header = json.dumps({"__metadata__": metadata}).encode()
    pathlib.Path(file).write_bytes(struct.pack("<Q", len(header)) + header)


def write_checkpoint(file, network="resnet20", arithmetic="adder", dataset="cifar10",
                     accuracy="91.83"):
    write_safetensors(file, {"format": "abacus-checkpoint-1", "network": network,
                             "arithmetic": arithmetic, "dataset": dataset,
                             "float_accuracy_percent": accuracy, "epochs": "400"})


def write_package(file, network, dataset, scheme, bits, checkpoint=None, seed=None, recipe=""):
    trained_from = hashlib.sha256(pathlib.Path(checkpoint).read_bytes()) if checkpoint else None
    origin = {"network": network, "dataset": dataset, "scheme": scheme, "weight_bits": bits,
              "activation_bits": bits,
              "checkpoint_sha256": trained_from.hexdigest() if trained_from else "unknown"}
    post = {"name": "layer1.0.conv1", "arithmetic": "post", "fraction_bits": 8}
    layers = [{"name": "conv1", "arithmetic": "cnn", "fraction_bits": 0},
              post if scheme.startswith("post-") else dict(post, arithmetic="cnn", fraction_bits=0)]
    metadata = {"format": "abacus integer network 1",
                "network": json.dumps({"origin": origin, "layers": layers})}
    if seed is not None or recipe:
        own = "" if seed is None else f" seed={seed}"
        metadata["recipe"] = f"qat-version=2 scheme={scheme} {recipe} plan: version=2{own} flip=1"
    write_safetensors(file, metadata)


def accuracy_of_package(file):
    """By quantizers, bits, seed and fraction bits: LSQ < ASQ < ASQ + POST, a seed 0.3 points."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"))
    from reproduction.safetensors import package_recipe, read_metadata
    network = json.loads(read_metadata(file)["network"])
    scheme = network["origin"]["scheme"]
    accuracy = 90 + network["origin"]["weight_bits"] / 10
    accuracy += {"pot-lsq-qat": 0.05, "post-lsq-qat": 0.5, "lsq-asq-qat": 1.0,
                 "post-asq-qat": 2.0}.get(scheme, 0)
    accuracy += 0.3 * (int(package_recipe(file).get("seed", 1)) - 1)
    if network["layers"][1]["arithmetic"] == "post":
        accuracy -= 0.1 * (8 - network["layers"][1]["fraction_bits"])
    return accuracy


def write_activations(arguments, short=False):
    """Four layers, two of them a block's last; ASQ's errors are half of LSQ's."""
    def option(name):
        return arguments[arguments.index(name) + 1] if name in arguments else None

    asq = "-asq-" in option("--package")
    lines = ["layer,ends_block,quantity,statistic,from,to,value"]
    for i, name in enumerate(["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1"]):
        start = f"{name},{'yes' if name in ('layer1.0.conv2', 'layer2.0.conv1') else 'no'}"
        quantities = ["output_norm", "output_error"]
        if name != "conv1":
            quantities += ["step_factor", "input_norm", "input_error", "common_step_error",
                           "own_step_error", "levels_used"]
        for quantity in quantities[:1] if short else quantities:
            mean = (i + 1) * (0.5 if asq and "error" in quantity else 1) * {
                "common_step_error": 0.75, "own_step_error": 0.25}.get(quantity, 1)
            lines += [f"{start},{quantity},{statistic},,,{value}" for statistic, value in (
                ("mean", mean), ("deviation", 0.1), ("lowest", mean - 0.2), ("highest", mean + 0.2))]
        for quantity in ("level", "stored", "quantized") if name == option("--histogram") else ():
            lines += [f"{start},{quantity},histogram,{at - 0.5},{at + 0.5},{100 - 20 * at}"
                      for at in range(4)]
    pathlib.Path(option("--out")).write_text("\n".join(lines) + "\n")


def write_layers(file, short=False):
    """What `abacus describe` writes of ResNet-18 at 224 × 224: the real counts, by its shapes."""
    rows = [["conv1", 3, 64, 7, 112, False]]
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, size = f"layer{stage + 1}.{block}", 56 >> stage
            inputs = channels if block or stage == 0 else channels // 2
            rows.append([f"{name}.conv1", inputs, channels, 3, size, True])
            if block == 0 and stage > 0:
                rows.append([f"{name}.downsample.0", inputs, channels, 1, size, True])
            rows.append([f"{name}.conv2", channels, channels, 3, size, True])
    rows.append(["fc", 512, 1000, 1, 1, False])
    lines = ["layer,kind,kernel,taps,weights,biases,output_channels,adapter_weights,adapter_biases,"
             "adapter_operations"]
    for name, inputs, outputs, kernel, size, adapts in rows:
        weights, hidden = inputs * outputs * kernel**2, inputs // 4
        adapter = [hidden * (inputs + 1), hidden + 1, hidden * (inputs + 1)] if adapts else [0] * 3
        lines.append(",".join(map(str, [name, "convolution", kernel, weights * size**2, weights,
                                        outputs * (name == "fc"), outputs, *adapter])))
    lines += ["layer1.0.bn1,batch_norm,,0,64,64,64,0,0,0", "total,,,1814073344,0,0,,0,0,0"]
    if short:
        lines = [line.replace("adapter_weights", "weights_of_the_adapter") for line in lines]
    pathlib.Path(file).write_text("\n".join(lines) + "\n")


def layers_of_run(scenario):
    """One block of ResNet-20: as ShiftAddNet of two layers; with ASQ 100 cycles and 0.5 µJ dearer."""
    def layer(name, taps, cycles, array="array", adapter=0, energy=2.0):
        units = {"step_adapter": {"busy_cycles": adapter, "stalled_cycles": adapter // 10}}
        return {"name": name, "array": array, "macs_or_taps": taps, "cycles": cycles,
                "energy_uj": energy, "units": units if adapter else {}}

    asq = bool(scenario.get("quantization", {}).get("adapters"))
    shift_add = scenario["arithmetic"] == "shiftaddnet"
    block = [layer("layer1.0.conv1", 1000, 900 + 100 * asq, adapter=100 * asq,
                   energy=2.0 + 0.5 * asq)]
    if shift_add:
        block = [layer("layer1.0.conv1.shift", 500, 450), layer("layer1.0.conv1.adder", 1000, 900)]
    more = 2 if shift_add else 1
    return {"layers": [layer("conv1", 300, 100, "edge_array")] + block,
            "cycles_per_image": 4000 * more + 100 * asq,
            "energy_per_image_uj": 10.5 * more + 0.5 * asq,
            "energy_by_component_uj": {"pe_array": 4.0 * more, "dram": 6.5 * more,
                                       "step_adapter": 0.25 * asq, "vector_unit": 0.0},
            "energy_by_action_uj": {"add": 1.0 * more, "absolute_difference": 0.5,
                                    "shift": 0.25 * (more - 1), "multiply": 0.5,
                                    "table_read": 0.125 * (scenario["arithmetic"] == "post"),
                                    "dram_read": 6.5 * more}}


def write_programs(folder):
    for name, text in (("abacus", ABACUS), ("abacus-train", TRAINER)):
        file = pathlib.Path(folder) / name
        file.write_text(text.format(folder=str(folder),
                                    tests=str(pathlib.Path(__file__).resolve().parent)))
        os.chmod(file, stat.S_IRWXU)
