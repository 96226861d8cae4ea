"""`abacus trace`: what it writes is read back, and says the same as results.json."""

import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from abacus import perfetto

PROGRAM = os.environ["ABACUS_PROGRAM"]
SCENARIO = """
[[run]]
name = "r"
network = "resnet20"
arithmetic = "adder"
weights = "synthetic"
image = [3, 16, 16]
classes = 10
images = 1
timed_images = 1
quantization = { weight_bits = 4, activation_bits = 4 }
"""
TRACKS = {
    "load": "load unit",
    "compute_array": "PE array",
    "compute_edge": "edge array",
    "compute_vector": "vector unit",
    "store": "store unit",
    "sequencer": "sequencer",
}


def read_vcd(file: pathlib.Path) -> dict[str, list[tuple[int, str]]]:
    """Changes of each signal: time in ps, value."""
    names: dict[str, str] = {}
    changes: dict[str, list[tuple[int, str]]] = {}
    time = 0
    scopes: list[str] = []
    for line in file.read_text("ascii").splitlines():
        if line.startswith("$scope"):
            scopes.append(line.split()[2])
        elif line.startswith("$upscope"):
            scopes.pop()
        elif line.startswith("$var"):
            _, _, _, identifier, name, *_ = line.split()
            names[identifier] = ".".join([*scopes[1:], name])  # the outermost is SystemC's own
            changes[names[identifier]] = []
        elif line.startswith("#"):
            time = int(line[1:])
        elif line[:1] == "b":
            value, identifier = line[1:].split()
            changes[names[identifier]].append((time, value))
        elif line[:1] in ("0", "1"):
            changes[names[line[1:]]].append((time, line[0]))
    return changes


class Trace(unittest.TestCase):
    folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "s.toml").write_text(SCENARIO, "utf-8")
        for command in (
            ["simulate", "s.toml", "--out", "out", "--quiet"],
            ["trace", "s.toml", "--out", "t.pftrace", "--transactions", "t.csv"]
            + ["--dramsys", "t.stl", "--ramulator", "t.trace"],
        ):
            subprocess.run([PROGRAM, *command], cwd=cls.path, check=True, capture_output=True)
        cls.said = json.loads((cls.path / "out" / "results.json").read_text("utf-8"))["runs"][0]
        cls.tracks = perfetto.slices((cls.path / "t.pftrace").read_bytes())

    def refused(self, *arguments: str) -> str:
        done = subprocess.run(
            [PROGRAM, "trace", *arguments],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_commands_take_the_cycles_of_the_results(self) -> None:
        for unit, times in self.said["units"].items():
            if unit not in TRACKS:
                continue
            commands = [s for s in self.tracks[TRACKS[unit]] if s.category == "command"]
            total = sum(command.annotations["cycles"] for command in commands)
            self.assertAlmostEqual(total, times["busy_cycles"], 6, unit)

    def test_causes_take_the_cycles_of_the_results(self) -> None:
        cycle_ns = 1e3 * self.said["time_per_image_us"] / self.said["cycles_per_image"]
        for unit, causes in self.said["spent_cycles"].items():
            for cause, cycles in causes.items():
                found = [
                    s
                    for s in self.tracks[TRACKS[unit]]
                    if s.category in ("work", "wait") and s.name == cause
                ]
                nanoseconds = sum(s.end - s.begin for s in found)
                self.assertLessEqual(
                    abs(nanoseconds - cycles * cycle_ns), len(found), f"{unit}, {cause}"
                )

    def test_causes_stand_inside_of_their_commands(self) -> None:
        for name in TRACKS.values():
            self.assertLessEqual({s.depth for s in self.tracks[name]}, {0, 1})
        for s in self.tracks["PE array"]:
            if s.category == "command":
                self.assertEqual(s.depth, 0)
            if s.name in ("work", "weight_fill", "pipeline"):
                self.assertEqual(s.depth, 1)

    def test_each_flow_leads_from_one_command_to_a_later_one(self) -> None:
        begins: dict[bytes, int] = {}
        ends: dict[bytes, int] = {}
        for track in self.tracks.values():
            for s in track:
                for flow in s.flows_out:
                    self.assertNotIn(flow, begins)
                    begins[flow] = s.end
                for flow in s.flows_in:
                    self.assertNotIn(flow, ends)
                    ends[flow] = s.begin
        self.assertGreater(len(begins), 20)
        self.assertEqual(set(begins), set(ends))
        for flow, begin in begins.items():
            self.assertLessEqual(begin, ends[flow])

    def test_slices_are_named_after_layer_and_tile(self) -> None:
        names = {s.name for s in self.tracks["PE array"]}
        self.assertIn("layer1.0.conv1 rows 0-15, 16 channels", names)
        self.assertIn("layer1.0.conv1 weights", {s.name for s in self.tracks["load unit"]})

    def test_one_layer_alone(self) -> None:
        subprocess.run(
            [PROGRAM, "trace", "s.toml", "--out", "one", "--layer", "layer2.0.conv1"],
            cwd=self.path,
            check=True,
            capture_output=True,
        )
        tracks = perfetto.slices((self.path / "one").read_bytes())
        commands = [s.name for track in tracks.values() for s in track if s.category == "command"]
        self.assertTrue(commands)
        self.assertTrue(all(name.startswith("layer2.0.conv1 ") for name in commands), commands)

    def test_transactions_move_the_bytes_of_the_results(self) -> None:
        with open(self.path / "t.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        times = [float(row["time_ns"]) for row in rows]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0], 0)
        dram = [row for row in rows if row["target"] == "dram"]
        self.assertEqual({row["row_hit"] for row in dram}, {"yes", "no"})
        for row in rows:
            self.assertRegex(row["cycle"], r"^\d+$")
            self.assertRegex(row["time_ns"], r"^\d+(\.\d+)?$")
            self.assertGreaterEqual(float(row["latency_ns"]), float(row["wait_ns"]))
            if row["initiator"] in ("load", "store"):
                self.assertTrue(row["command"].isdigit(), row)
        burst = 16  # of the preset's DDR3L: 8 × 16 bits
        image = 3 * 16 * 16  # which the host wrote before it rang the doorbell
        for name in ("t.stl", "t.trace"):
            lines = (self.path / name).read_text("ascii").splitlines()
            read_after = self.said["dram_bytes_per_image"] - image - len(lines) * burst
            self.assertIn(read_after, (burst, 2 * burst), name)  # 10 scores
        clocks = [
            int(line.split(":")[0]) for line in (self.path / "t.stl").read_text().splitlines()
        ]
        self.assertEqual(clocks, sorted(clocks))

    def test_times_stay_exact_where_they_are_long_and_the_clock_is_odd(self) -> None:
        settings = ["--set", "hardware.clock_mhz=300", "--set", "image=[3,64,64]"]
        subprocess.run(
            [PROGRAM, "trace", "s.toml", *settings, "--out", "odd", "--transactions", "odd.csv"],
            cwd=self.path,
            check=True,
            capture_output=True,
        )
        for track in perfetto.slices((self.path / "odd").read_bytes()).values():
            for s in track:
                for value in s.annotations.values():
                    self.assertEqual(value, int(value), s.name)
        with open(self.path / "odd.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(float(rows[-1]["time_ns"]), 1e6)
        for row in rows:
            self.assertRegex(row["cycle"], r"^\d+$")
            self.assertRegex(row["time_ns"], r"^\d+(\.\d+)?$")

    def test_signals_change_as_the_units_do(self) -> None:
        arguments = [PROGRAM, "trace", "s.toml", "--vcd", "t.vcd"]
        signals = ["--signals", "compute.executing", "sequencer.*"]
        subprocess.run([*arguments, *signals], cwd=self.path, check=True, capture_output=True)
        changes = read_vcd(self.path / "t.vcd")
        self.assertEqual(set(changes), {"compute.executing", "sequencer.busy"})
        starts = sum(value == "1" for _, value in changes["compute.executing"])
        commands = [
            s
            for name in ("PE array", "edge array", "vector unit")
            for s in self.tracks[name]
            if s.category == "command"
        ]
        # Commands that follow one another at once show no change between them.
        gaps = {s.begin for s in commands} - {s.end for s in commands}
        self.assertEqual(starts, len(gaps))
        busy = changes["sequencer.busy"]
        self.assertAlmostEqual(busy[-1][0] / 1e6, self.said["time_per_image_us"], 3)
        window = ["--from", "3", "--to", "5"]
        subprocess.run([*arguments, *window], cwd=self.path, check=True, capture_output=True)
        times = [time for at in read_vcd(self.path / "t.vcd").values() for time, _ in at]
        self.assertEqual(min(times), 3_000_000)
        self.assertLessEqual(max(times), 5_000_000)

    def test_what_is_wrong_is_said(self) -> None:
        self.assertIn("at least one of --out", self.refused("s.toml"))
        self.assertIn(
            'no layer "x"; allowed: conv1',
            self.refused("s.toml", "--out", "x", "--layer", "x"),
        )
        self.assertIn('no run "x"; allowed: r', self.refused("s.toml", "--out", "x", "--run", "x"))
        self.assertIn(
            "allowed: a whole number, 0 to", self.refused("s.toml", "--out", "x", "--image", "-1")
        )
        too_many = self.refused("s.toml", "--out", "x", "--image", "1")
        self.assertIn("image 1: allowed are 0 to 0", too_many)
        self.assertIn("--out", self.refused("s.toml", "--transactions", "x", "--layer", "conv1"))
        self.assertIn("--vcd", self.refused("s.toml", "--out", "x", "--signals", "tokens.3"))
        for window in (["--from", "5", "--to", "3"], ["--from", "99999"]):
            self.assertIn("--from is", self.refused("s.toml", "--vcd", "x", *window))
        self.assertFalse((self.path / "x").exists())
        self.assertIn(
            'no signal "x"; allowed', self.refused("s.toml", "--vcd", "x", "--signals", "x")
        )
        self.assertIn("/dev/full", self.refused("s.toml", "--out", "/dev/full"))


if __name__ == "__main__":
    unittest.main()
