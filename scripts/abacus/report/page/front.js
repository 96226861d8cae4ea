// Any metric over any other, a plot a network and data set, with the fronts.

const { data, make } = abacus;
const MOST_BARS = 60; // more error bars would hide the points
const MOST_PLOTS = 24;
const LONGEST_ENTRY = 24;
const LONGEST_TITLE = 40;

// What a point is, for the mouse that rests on it.
abacus.hoverText = (point, metrics = data.metrics.keys()) => {
  const lines = [`<b>${abacus.plain(point.name)}</b>`];
  data.axes.forEach((axis, index) => {
    if (point.axes[index] === null) return;
    lines.push(`${abacus.plain(axis)}: ${abacus.plain(abacus.cell(point.axes[index]))}`);
  });
  for (const index of metrics) {
    if (point.values[index] === null) continue;
    const metric = data.metrics[index];
    let line = `${abacus.plain(metric.label)}: ${abacus.number(point.values[index])}`
      + ` ${abacus.plain(metric.unit)}`;
    if (metric.interval && point.interval) {
      line += ` (${point.interval.map((end) => end.toFixed(2)).join(" to ")}, `
        + `${(point.images ?? 0).toLocaleString("en")} images)`;
    }
    const change = abacus.changeText(index, point, abacus.state.baseline);
    lines.push(change ? `${line}, ${change}` : line);
  }
  return lines.join("<br>");
};

// Whiskers of an axis that is an accuracy.
const whiskers = (points, index) => {
  if (!data.metrics[index].interval || points.length > MOST_BARS) return { visible: false };
  return {
    type: "data",
    symmetric: false,
    array: points.map((point) => (point.interval ? point.interval[1] - point.values[index] : 0)),
    arrayminus: points.map((point) => (point.interval ? point.values[index] - point.interval[0] : 0)),
    thickness: 1,
    width: 3,
  };
};

const markers = (points, more) => {
  const { x, y } = abacus.state;
  return {
    type: "scatter",
    mode: "markers",
    x: points.map((point) => point.values[x]),
    y: points.map((point) => point.values[y]),
    error_x: whiskers(points, x),
    error_y: whiskers(points, y),
    text: points.map((point) => abacus.hoverText(point)),
    hoverinfo: "text",
    customdata: points.map((point) => point.index),
    ...more,
  };
};

const traces = (points) => {
  const { x, y, colour, chosen, baseline } = abacus.state;
  const all = abacus.fronts(points, x, y).map((front) => ({
    type: "scatter",
    mode: "lines",
    x: front.map((point) => point.values[x]),
    y: front.map((point) => point.values[y]),
    line: { color: "#999", width: 1.5, dash: "dot" },
    hoverinfo: "skip",
    showlegend: false,
  }));
  abacus.valuesOf(colour).forEach((value, index) => {
    const own = points.filter((point) => point.axes[colour] === value);
    if (!own.length) return;
    all.push(markers(own, {
      name: abacus.plain(abacus.cell(value), LONGEST_ENTRY),
      marker: {
        size: 9,
        color: abacus.colour(index),
        symbol: abacus.symbol(index),
        line: {
          width: own.map((point) => (chosen.has(point) ? 2.5 : 0.7)),
          color: own.map((point) => (chosen.has(point) ? "#000" : "#fff")),
        },
      },
    }));
  });
  if (points.includes(baseline)) {
    all.push({
      ...markers([baseline], { name: "baseline", hoverinfo: "skip" }),
      marker: { size: 18, symbol: "circle-open", color: "#000", line: { width: 1.5 } },
    });
  }
  return all;
};

const controls = () => {
  const metrics = data.metrics.map((metric, index) => [index, abacus.metricLabel(metric)]);
  const axes = data.axes.map((axis, index) => [index, axis])
    .filter(([index]) => abacus.valuesOf(index).length <= 16);
  const { state, update } = abacus;
  return make("div", { className: "bar controls" },
    abacus.makeSelect("y", "Up", metrics, state.y, (value) => update({ y: Number(value) })),
    abacus.makeBox("y-log", "log", state.yLog, (yLog) => update({ yLog })),
    abacus.makeSelect("x", "Across", metrics, state.x, (value) => update({ x: Number(value) })),
    abacus.makeBox("x-log", "log", state.xLog, (xLog) => update({ xLog })),
    abacus.makeSelect("colour", "Colour", axes, state.colour, (value) => update({ colour: Number(value) })));
};

abacus.buildFront = () => {
  const place = document.getElementById("front");
  const grid = make("div", { className: "grid" });
  const note = make("p", { className: "note" });
  place.append(controls(), grid, note);
  const plots = new Map(); // by group

  const plotOf = (name) => {
    if (!plots.has(name)) {
      const element = make("div", {});
      const frame = make("div", { className: "frame" }, element);
      plots.set(name, { element, frame });
      grid.append(frame);
    }
    return plots.get(name);
  };

  abacus.listen(() => {
    const { x, y, xLog, yLog } = abacus.state;
    const groups = new Map();
    for (const point of abacus.visible()) {
      if (point.values[x] === null || point.values[y] === null) continue;
      const name = abacus.groupName(point);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(point);
    }
    const names = [...groups.keys()].slice(0, MOST_PLOTS);
    for (const [name, { element, frame }] of plots) {
      if (names.includes(name)) continue;
      abacus.removePlot(element);
      frame.remove();
      plots.delete(name);
    }
    grid.classList.toggle("single", names.length === 1);
    for (const name of names) {
      const { element } = plotOf(name);
      abacus.plot(element, traces(groups.get(name)), {
        title: { text: abacus.plain(name, LONGEST_TITLE), font: { size: 13 }, x: 0.02, xanchor: "left" },
        height: names.length === 1 ? 460 : 360,
        xaxis: abacus.metricAxis(data.metrics[x], xLog),
        yaxis: abacus.metricAxis(data.metrics[y], yLog),
      }, "trade-offs");
      element.removeAllListeners("plotly_click");
      element.on("plotly_click", (event) => {
        const index = event.points[0].customdata;
        if (index !== undefined) abacus.choose(data.points[index]);
      });
    }
    note.textContent = "";
    if (!names.length) note.textContent = "No visible point has both metrics.";
    if (groups.size > names.length) note.textContent = `${groups.size - names.length} more networks: filter them.`;
  });
};
