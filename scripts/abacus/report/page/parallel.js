// Parallel coordinates: a line a point through all axes and metrics along which points differ.

const { data, make } = abacus;
const SHADES = ["#08306b", "#2171b5", "#6baed6", "#c6a35c", "#e6c229"];
const MOST_TICKS = 9;
const PIXELS = 104; // between axes
const SPREAD = 20; // highest over lowest, from which on an axis is logarithmic

// A dimension: its title, and each point's place from 0 to 1 on it, or null.
const dimensionOfTexts = (axis) => {
  const values = abacus.valuesOf(axis);
  const last = Math.max(1, values.length - 1);
  const ticks = values.map((value, index) => [index / last, abacus.cell(value)]);
  const step = Math.ceil(ticks.length / MOST_TICKS);
  return {
    title: data.axes[axis],
    ticks: ticks.filter((_, index) => index % step === 0 || index === ticks.length - 1),
    places: data.points.map((point) => values.indexOf(point.axes[axis]) / last),
  };
};

const dimensionOfMetric = (index) => {
  const found = data.points.map((point) => point.values[index]).filter((value) => value !== null);
  const low = found.reduce((a, b) => Math.min(a, b), Infinity);
  const high = found.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(high > low)) return null;
  const isLog = low > 0 && high / low > SPREAD;
  const scaled = isLog ? Math.log : (value) => value;
  const width = scaled(high) - scaled(low);
  const middle = isLog ? Math.sqrt(low * high) : (low + high) / 2;
  return {
    title: abacus.metricLabel(data.metrics[index]) + (isLog ? ", log" : ""),
    ticks: [[0, abacus.number(low)], [0.5, middle.toLocaleString("en", { maximumSignificantDigits: 3 })], [1, abacus.number(high)]],
    places: data.points.map((point) => (
      point.values[index] === null ? null : (scaled(point.values[index]) - scaled(low)) / width)),
  };
};

const dimensions = [
  ...abacus.varying.map(dimensionOfTexts),
  ...data.metrics.map((_, index) => dimensionOfMetric(index)).filter(Boolean),
];

abacus.placeOn = (dimension, point) => dimensions[dimension].places[point.index];

// One trace a shade: a gap parts a point's line from the next one's.
const lines = (points, shade, color) => {
  const [x, y, text] = [[], [], []];
  for (const point of points) {
    const words = abacus.hoverText(point);
    dimensions.forEach((dimension, index) => {
      x.push(index);
      y.push(dimension.places[point.index]);
      text.push(words);
    });
    x.push(null);
    y.push(null);
    text.push("");
  }
  return {
    type: "scatter", mode: "lines+markers", x, y, text, hoverinfo: "text", showlegend: false,
    line: { color, width: points.length > 100 ? 0.8 : 1.4 }, marker: { size: 4, color }, opacity: 0.75,
  };
};

// By size of the metric in charge of colour.
const shaded = (points) => {
  const index = abacus.state.lineColour;
  const sorted = points.filter((point) => point.values[index] !== null)
    .sort((a, b) => a.values[index] - b.values[index]);
  const without = points.filter((point) => point.values[index] === null);
  const size = Math.ceil(sorted.length / SHADES.length) || 1;
  const all = SHADES.map((color, shade) => [sorted.slice(shade * size, (shade + 1) * size), color]);
  return [[without, "#bbb"], ...all].filter(([own]) => own.length)
    .map(([own, color], shade) => lines(own, shade, color));
};

const labels = () => dimensions.flatMap((dimension, index) => [
  {
    x: index, y: 1.06, yref: "paper", yanchor: "bottom", showarrow: false, textangle: -18,
    xanchor: "left", xshift: -8, text: abacus.plain(dimension.title, 28), font: { size: 11 },
  },
  ...dimension.ticks.map(([place, text]) => ({
    x: index, y: place, xanchor: "left", xshift: 5, showarrow: false, bgcolor: "rgba(255,255,255,0.75)",
    text: abacus.plain(text, 14), font: { size: 10 },
  })),
]);

const bars = () => [...abacus.state.brushes].map(([index, [low, high]]) => ({
  type: "rect", x0: index - 0.06, x1: index + 0.06, y0: low, y1: high,
  fillcolor: "#D55E00", opacity: 0.35, line: { width: 0 },
}));

const layout = () => ({
  height: 400,
  width: Math.max(560, 60 + PIXELS * dimensions.length),
  autosize: false,
  margin: { l: 20, r: 90, t: 100, b: 20 },
  dragmode: "select",
  xaxis: {
    range: [-0.15, dimensions.length - 0.6], tickvals: [...dimensions.keys()], ticktext: [],
    showticklabels: false, gridcolor: "#999", zeroline: false, fixedrange: true,
  },
  yaxis: { range: [-0.05, 1.05], visible: false, fixedrange: true },
  annotations: labels(),
  shapes: bars(),
  selections: [],
});

abacus.buildParallel = () => {
  const place = document.getElementById("parallel");
  if (dimensions.length < 2) {
    place.parentElement.hidden = true;
    return;
  }
  const metrics = data.metrics.map((metric, index) => [index, abacus.metricLabel(metric)]);
  const element = make("div", {});
  place.append(
    make("div", { className: "bar controls" },
      abacus.makeSelect("line-colour", "Colour", metrics, abacus.state.lineColour,
        (value) => abacus.update({ lineColour: Number(value) })),
      make("button", {
        type: "button", id: "all-lines",
        on: { click: () => abacus.update({ brushes: new Map() }) },
      }, "Let all lines pass")),
    make("div", { className: "scroll" }, element));
  abacus.listen(() => {
    abacus.plot(element, shaded(abacus.visible()), layout(), "parallel-coordinates");
    element.removeAllListeners("plotly_selected");
    element.on("plotly_selected", (event) => {
      if (!event || !event.range) return;
      const [left, right] = [...event.range.x].sort((a, b) => a - b);
      const [low, high] = [...event.range.y].sort((a, b) => a - b);
      const brushes = new Map(abacus.state.brushes);
      dimensions.forEach((_, index) => {
        if (index >= left - 0.15 && index <= right + 0.15) brushes.set(index, [low, high]);
      });
      abacus.update({ brushes });
    });
  });
};
