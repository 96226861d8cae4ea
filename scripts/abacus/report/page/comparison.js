// Which points may be compared, their fronts, and changes against a baseline.

const groupKey = (point, metrics) => JSON.stringify([
  point.network, point.dataset,
  ...metrics.filter((metric) => metric.alike).map((metric) => point[metric.alike]),
]);

abacus.comparable = (metric, a, b) => groupKey(a, [metric]) === groupKey(b, [metric]);

const cost = (metric, value) => (metric.better === "more" ? -value : value);

// Points that have both metrics (places in the data), by what may be compared.
const grouped = (points, x, y) => {
  const metrics = [abacus.data.metrics[x], abacus.data.metrics[y]];
  const groups = new Map();
  for (const point of points) {
    if (point.values[x] === null || point.values[y] === null) continue;
    const key = groupKey(point, metrics);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(point);
  }
  return [...groups.values()];
};

// One front a group, by rising x: no other point is better in one metric and as good in the other.
abacus.fronts = (points, x, y) => {
  const [ofX, ofY] = [abacus.data.metrics[x], abacus.data.metrics[y]];
  return grouped(points, x, y).map((group) => {
    const costs = group.map((point) => [cost(ofX, point.values[x]), cost(ofY, point.values[y]), point]);
    costs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const front = [];
    let best = Infinity;
    let last = null;
    for (const [a, b, point] of costs) {
      if (b < best || (last && last[0] === a && last[1] === b)) {
        front.push(point);
        best = b;
        last = [a, b];
      }
    }
    return front.sort((a, b) => a.values[x] - b.values[x]);
  });
};

// Of a point's metric against the baseline's, as a text; empty where they may not be compared.
abacus.changeText = (index, point, baseline) => {
  const metric = abacus.data.metrics[index];
  if (!baseline || point === baseline || !abacus.comparable(metric, point, baseline)) return "";
  const [value, base] = [point.values[index], baseline.values[index]];
  if (value === null || base === null) return "";
  const signed = (number, digits) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(digits)}`;
  if (metric.unit === "%") return `${signed(value - base, 2)} points`;
  return base === 0 ? "" : `${signed(100 * (value / base - 1), 1)} %`;
};
