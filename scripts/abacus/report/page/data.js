// The points of the page, and how their values are written.

const data = JSON.parse(document.getElementById("data").textContent);
data.points.forEach((point, index) => { point.index = index; });
abacus.data = data;

abacus.shortened = (text, longest = 60) => {
  const all = String(text);
  return all.length > longest ? `${all.slice(0, longest - 1)}…` : all;
};

abacus.number = (value) =>
  value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) >= 1e4 ? 7 : 5 });

abacus.cell = (value) => {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" ? abacus.number(value) : String(value);
};

abacus.metricLabel = (metric) => (metric.unit ? `${metric.label} (${metric.unit})` : metric.label);

abacus.metricAt = (key) => data.metrics.findIndex((metric) => metric.key === key);

// What distinguishes points that are compared with one another.
abacus.groupName = (point) => [point.network, point.dataset].filter(Boolean).join(", ");

// Distinct values of an axis, numbers by size before texts by name.
abacus.valuesOf = (axis, points = data.points) => {
  const found = [...new Set(points.map((point) => point.axes[axis]))];
  const rank = (value) => (typeof value === "number" ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b)
    || (typeof a === "number" ? a - b : String(a).localeCompare(String(b))));
};

// Axes along which points differ; of those that part the points alike, the first.
const partition = (axis) => {
  const values = data.points.map((point) => point.axes[axis]);
  const first = new Map();
  values.forEach((value, index) => { if (!first.has(value)) first.set(value, index); });
  return values.map((value) => first.get(value)).join();
};
const partitions = data.axes.map((_, axis) => partition(axis));
abacus.varying = [...data.axes.keys()].filter((axis) =>
  abacus.valuesOf(axis).length > 1 && partitions.indexOf(partitions[axis]) === axis);
