"""Points, their fronts and intervals; the points of a study."""

import json
import random
import unittest
from typing import Any

from abacus.errors import AbacusError
from abacus.json_value import JsonValue
from abacus.report.page import study_page
from abacus.report.page_data import MOST_DETAILS, script_json, with_details
from abacus.report.points import METRICS, Metric, Point, front, points_of_runs, wilson
from abacus.report.reading import results_of
from abacus.report.study import described, study_of
from made_up import many_runs, study
from results_case import HOSTILE, ResultsCase, Tags

X, Y = Metric("x", "x"), Metric("y", "y", better="more", alike="images")


def point(x: float | None, y: float | None, network: str = "a", images: int = 1) -> Point:
    """One to compare."""
    return Point("p", network, "d", {"x": x, "y": y}, {}, images=images)


class Fronts(unittest.TestCase):
    def test_a_front_is_what_nobody_beats(self) -> None:
        source = random.Random(5)
        points = [
            point(
                source.randint(0, 9),
                source.randint(0, 9),
                source.choice("ab"),
                source.choice((1, 2)),
            )
            for _ in range(200)
        ]

        def beats(a: Point, b: Point) -> bool:
            ax, ay, bx, by = a.metrics["x"], a.metrics["y"], b.metrics["x"], b.metrics["y"]
            assert ax is not None and ay is not None and bx is not None and by is not None
            alike = a.network == b.network and a.images == b.images
            return alike and ax <= bx and ay >= by and (ax, ay) != (bx, by)

        expected = {i for i, b in enumerate(points) if not any(beats(a, b) for a in points)}
        self.assertEqual(front(points, X, Y), expected)

    def test_a_point_without_a_metric_is_in_no_front(self) -> None:
        self.assertEqual(front([point(None, 9), point(1, None), point(2, 1)], X, Y), {2})

    def test_intervals_are_wilsons(self) -> None:
        # Newcombe, Statistics in Medicine 1998, table I, method 3, in percent.
        for hits, of, low, high in (
            (81, 263, 25.53, 36.62),
            (15, 148, 6.24, 16.05),
            (0, 20, 0, 16.11),
        ):
            found = wilson(100 * hits / of, of)
            assert found
            self.assertAlmostEqual(found[0], low, places=2)
            self.assertAlmostEqual(found[1], high, places=2)
        self.assertIsNone(wilson(0, 0))

    def test_many_runs_have_details_of_the_front_and_of_the_chosen(self) -> None:
        results = results_of(JsonValue("r.json", "", many_runs(60)))
        points = points_of_runs(results.runs)
        dear = max(range(60), key=lambda i: points[i].metrics["energy_per_image_uj"] or 0)
        found = with_details(points, METRICS, [points[dear].name])
        self.assertLessEqual(len(found), MOST_DETAILS)
        self.assertIn(dear, found)
        cheap = min(range(60), key=lambda i: points[i].metrics["energy_per_image_uj"] or 0)
        self.assertIn(cheap, found)
        self.assertEqual(with_details(points[:5], METRICS, []), set(range(5)))

    def test_hardware_that_differs_is_an_axis(self) -> None:
        results = results_of(JsonValue("r.json", "", many_runs(5)))
        axes = points_of_runs(results.runs)[1].axes
        self.assertEqual(axes["array.rows"], 8)
        self.assertNotIn("array.columns", axes)


class Studies(ResultsCase):
    def page(self, content: Any) -> str:
        """AbacusError where a value is not allowed."""
        return study_page(study_of(JsonValue("s.json", "", content)), "s.json")

    def test_all_points_are_there(self) -> None:
        text = self.page(study(500))
        start = text.index('id="data">') + len('id="data">')
        data = json.loads(text[start : text.index("</script>", start)])
        self.assertEqual(len(data["points"]), 500)
        keys = [metric["key"] for metric in data["metrics"]]
        self.assertEqual(keys[0], "accuracy_percent")
        self.assertEqual(data["metrics"][keys.index("layers_stalled_us")]["unit"], "µs")
        self.assertIn("A study of 500 points, of them 50 infeasible.", text)
        self.assertIn('title="weight_sram: needs 70000 bytes, has 65536">infeasible', text)
        self.assertIn("abacus explore arrays.toml", text)

    def test_rows_of_columns_are_points_too(self) -> None:
        row = {
            "number": 1,
            "array.rows": 8,
            "status": "ok",
            "accuracy_percent": 81.5,
            "images": 200,
        }
        row |= {"bit_exact": True, "reason": None, "hash": "ab"}
        dead = {"number": 2, "array.rows": 16, "status": "infeasible", "accuracy_percent": None}
        dead |= {"images": None, "bit_exact": None, "reason": "too <large>", "hash": "cd"}
        first, second = study_of(JsonValue("s.json", "", [row, dead])).points
        self.assertEqual((first.name, first.axes), ("array.rows=8", {"array.rows": 8}))
        self.assertEqual(first.metrics, {"accuracy_percent": 81.5})
        self.assertEqual(first.images, 200)
        self.assertEqual(first.interval, wilson(81.5, 200))
        self.assertEqual((second.status, second.metrics), ("infeasible", {}))
        self.assertIn('title="too &lt;large&gt;">infeasible', self.page([row, dead]))
        for name in ("number", "status", "hash"):
            with self.assertRaisesRegex(AbacusError, rf"s\.json: \[0\]: found no field {name}"):
                self.page([{key: value for key, value in row.items() if key != name}])

    def test_units_and_what_is_better_come_from_names(self) -> None:
        for key, label, unit, better, alike in (
            ("pe_utilisation_percent", "pe utilisation", "%", "more", "images"),
            ("edp_uj_us", "edp", "µJ·µs", "less", "energy_table"),
            ("area_um2", "area", "µm²", "less", "area_table"),
            ("stalls", "stalls", "", "less", ""),
        ):
            self.assertEqual(described(key), Metric(key, label, unit, better, alike))

    def test_each_value_hostile_or_of_another_type(self) -> None:
        own_tags = Tags(self.page(study(2))).names
        values: tuple[Any, ...] = (None, 5, -1, [], {}, float("nan"))
        values += (HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: 1})
        made = 0
        for name in study(2)["points"][1]:
            for value in values:
                content = study(2)
                content["points"][1][name] = value
                with self.subTest(name=name, value=value):
                    try:
                        text = self.page(content)
                    except AbacusError as error:
                        self.assertRegex(str(error), r"^s\.json: .*found .*; allowed: ")
                        continue
                    self.assertLessEqual(Tags(text).names, own_tags)
                    made += 1
        self.assertGreater(made, 10)

    def test_json_of_scripts_is_plain(self) -> None:
        text = script_json([HOSTILE, 0.1234567891, {"a": [None, True]}])
        self.assertTrue(text.isascii() and not set(text) & set("<>&"))
        self.assertEqual(json.loads(text)[1:], [0.1234568, {"a": [None, True]}])


if __name__ == "__main__":
    unittest.main()
