// What the reader has chosen; whoever draws listens.

const { data } = abacus;
const listeners = [];

const firstMetric = (...keys) => {
  const found = keys.map(abacus.metricAt).find((index) => index >= 0);
  return found === undefined ? 0 : found;
};
const x = firstMetric("energy_per_image_uj", "cycles_per_image");
const others = ["accuracy_percent", "time_per_image_us", "area_um2"].map(abacus.metricAt);
const y = [...others, ...data.metrics.keys()].find((index) => index >= 0 && index !== x) ?? x;

abacus.state = {
  x,
  y,
  xLog: false,
  yLog: false,
  colour: Math.max(0, data.axes.indexOf("arithmetic")), // an axis
  lineColour: x, // a metric
  baseline: null, // a point
  chosen: new Set(), // points
  filters: new Map(), // from an axis or "status" to a test of its value
  brushes: new Map(), // from a dimension of the parallel plot to [lowest, highest]
};

abacus.listen = (draw) => listeners.push(draw);

abacus.update = (changes = {}) => {
  Object.assign(abacus.state, changes);
  for (const draw of listeners) draw();
};

abacus.filtered = () => data.points.filter((point) =>
  [...abacus.state.filters].every(([axis, test]) =>
    test(axis === "status" ? point.status : point.axes[axis])));

// What is left of them by the parallel plot.
abacus.visible = () => abacus.filtered().filter((point) =>
  [...abacus.state.brushes].every(([dimension, [low, high]]) => {
    const place = abacus.placeOn(dimension, point);
    return place !== null && place >= low && place <= high;
  }));

abacus.frontPoints = () => abacus.fronts(abacus.visible(), abacus.state.x, abacus.state.y).flat();

abacus.choose = (point) => {
  if (!abacus.state.chosen.delete(point)) abacus.state.chosen.add(point);
  abacus.update();
};
