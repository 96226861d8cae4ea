// Energy by component, cycles by layer and unit, PE utilisation: of a few points.

const { data, make } = abacus;
const MOST_SHOWN = 12;
const MOST_OPEN = 3;
const NARROW = 600; // pixels: the legend takes more lines
const COMPONENT_COLOURS = [
  "#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#86C5A4", "#C4E3B2", "#E69F00", "#D55E00", "#999999",
];
const UNIT_COLOURS = ["#56B4E9", "#009E73", "#E69F00"];

const wanted = () => {
  const { chosen, baseline } = abacus.state;
  if (chosen.size) return [...chosen];
  return [...new Set([...(baseline ? [baseline] : []), ...abacus.frontPoints()])];
};

// Energies take little room: they are of all that is visible, where that is not too much.
const MOST_BARS = 24;
const withEnergy = (fallback) => {
  if (abacus.state.chosen.size) return fallback;
  const all = abacus.visible().filter((point) =>
    point.detail !== null && data.details[point.detail].components);
  return all.length <= MOST_BARS ? all : fallback;
};

// Places rather than names along an axis: names may be alike. Long ones would leave no plot.
const LONGEST_TICK = 26;
const named = (names, more = {}) => abacus.axis("", {
  tickvals: [...names.keys()], ticktext: names.map((name) => abacus.plain(name, LONGEST_TICK)), ...more,
});

const energies = (shown, without) => data.components
  .map((label, index) => ({
    type: "bar",
    orientation: "h",
    name: label,
    x: shown.map((point) => data.details[point.detail].components[index]),
    y: [...shown.keys()],
    marker: { color: COMPONENT_COLOURS[index] },
    hovertemplate: `${label}: %{x:.4s} µJ<extra></extra>`,
  }))
  .filter((trace) => !without.includes(trace.name) && trace.x.some((value) => value > 0));

// Of points of one network: others' would be of another size.
const drawEnergy = (place, shown, title, without) => {
  const element = make("div", {});
  place.append(element);
  abacus.plot(element, energies(shown, without), {
    barmode: "stack",
    title: { text: title, font: { size: 13 }, x: 0, xanchor: "left" },
    height: (place.clientWidth < NARROW ? 290 : 190) + 26 * shown.length,
    xaxis: abacus.axis("Energy of an image (µJ)"),
    yaxis: named(shown.map((point) => point.name), { autorange: "reversed" }),
  }, "energy-by-component");
};

const cyclesOf = (detail) => {
  const places = [...detail.layers.keys()];
  const all = data.units.flatMap((unit, index) => [
    {
      type: "bar", name: `${unit} busy`, x: places, y: detail.busy[index], offsetgroup: unit,
      marker: { color: UNIT_COLOURS[index] }, hovertemplate: `${unit} busy: %{y:,.0f}<extra></extra>`,
    },
    {
      type: "bar", name: "of it stalled by memory", x: places, y: detail.stalled[index], offsetgroup: unit,
      legendgroup: "stalled", showlegend: index === 0,
      marker: { color: "#333", pattern: { shape: "/", fgcolor: "#333", bgcolor: UNIT_COLOURS[index], size: 5 } },
      hovertemplate: `${unit} stalled: %{y:,.0f}<extra></extra>`,
    },
  ]);
  return [...all, {
    type: "scatter", mode: "markers", name: "layer's share of the image's cycles", x: places, y: detail.cycles,
    marker: { symbol: "line-ew-open", size: 13, color: "#000", line: { width: 2 } },
    hovertemplate: "share: %{y:,.0f} cycles<extra></extra>",
  }];
};

const CAUSE_COLOURS = [
  "#009E73", "#8C6D31", "#bbbbbb", "#CC79A7", "#D55E00", "#56B4E9", "#E69F00", "#555555",
];

// What the compute unit's cycles go into; of files that say so.
const spentOf = (detail) => data.causes
  .map((cause, index) => ({
    type: "bar", name: cause, x: [...detail.layers.keys()], y: detail.spent[index],
    marker: { color: CAUSE_COLOURS[index] }, hovertemplate: `${cause}: %{y:,.0f}<extra></extra>`,
  }))
  .filter((trace) => trace.y.some((value) => value > 0));

// Folded; drawn once it is opened, since each plot takes a while.
const drawCycles = (place, point, isOpen) => {
  const detail = data.details[point.detail];
  const element = make("div", {});
  const spent = make("div", {});
  const shares = data.units.map((unit, index) =>
    `${unit.toLowerCase()} ${detail.share[index][0].toFixed(1)} % busy, ${detail.share[index][1].toFixed(1)} % stalled`);
  const draw = () => {
    abacus.plot(element, cyclesOf(detail), {
      barmode: "group",
      height: 400,
      xaxis: named(detail.layers, { tickangle: -50 }),
      yaxis: abacus.axis("Cycles"),
    }, "cycles-by-layer");
    if (!detail.spent) return;
    abacus.plot(spent, spentOf(detail), {
      barmode: "stack",
      title: { text: "Where the compute unit's cycles go", font: { size: 13 }, x: 0, xanchor: "left" },
      height: 400,
      xaxis: named(detail.layers, { tickangle: -50 }),
      yaxis: abacus.axis("Cycles"),
    }, "waits-by-layer");
  };
  const fold = make("details", { open: isOpen }, make("summary", {}, point.name),
    make("p", { className: "note" }, `${shares.join("; ")}.`), element, spent);
  place.append(fold);
  if (isOpen) draw();
  else fold.addEventListener("toggle", draw, { once: true });
};

// One plot for all points whose layers have the same names.
const drawUtilisation = (place, shown) => {
  const groups = new Map();
  for (const point of shown) {
    const key = JSON.stringify(data.details[point.detail].layers);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(point);
  }
  for (const points of groups.values()) {
    const { layers } = data.details[points[0].detail];
    const element = make("div", {});
    place.append(element);
    abacus.plot(element, points.map((point, index) => ({
      type: "scatter", mode: "lines+markers", name: abacus.plain(point.name, LONGEST_TICK), x: [...layers.keys()],
      y: data.details[point.detail].utilisation, connectgaps: true,
      line: { color: abacus.colour(index), width: 1 }, marker: { symbol: abacus.symbol(index), size: 6 },
      hovertemplate: "%{y:.1f} %",
    })), {
      height: 330 + 12 * points.length,
      xaxis: named(layers, { tickangle: -50 }),
      yaxis: abacus.axis("%", { rangemode: "tozero" }),
    }, "pe-utilisation");
  }
};

abacus.buildDetails = () => {
  const place = document.getElementById("details");
  if (!data.details.length) {
    place.parentElement.hidden = true;
    return;
  }
  let last = null;
  abacus.listen(() => {
    const all = wanted();
    const able = all.filter((point) => point.detail !== null && data.details[point.detail].components);
    const shown = able.slice(0, MOST_SHOWN);
    const priced = withEnergy(shown);
    const key = JSON.stringify([all.length, shown, priced].map((points) =>
      (Array.isArray(points) ? points.map((point) => point.index) : points)));
    if (key === last) return;
    last = key;
    for (const element of place.querySelectorAll(".chart")) abacus.removePlot(element);
    place.replaceChildren();
    const note = [];
    if (able.length > shown.length) note.push(`The first ${MOST_SHOWN} of ${able.length}.`);
    const without = all.filter((point) => point.detail === null);
    const isStudy = data.details.every((detail) => !detail.layers);
    if (without.length && !isStudy) {
      note.push(`This page has no layers of ${without.slice(0, 3).map((point) => point.name).join(", ")}`
        + `${without.length > 3 ? ` and ${without.length - 3} more` : ""}: abacus report --detail NAME adds them.`);
    }
    if (!shown.length) note.push("None of them has energies or cycles.");
    place.append(make("p", { className: "note" }, note.join(" ")));
    if (!shown.length) return;
    for (const name of new Set(priced.map(abacus.groupName))) {
      const own = priced.filter((point) => abacus.groupName(point) === name);
      drawEnergy(place, own, `Energy by component: ${abacus.plain(name, LONGEST_TICK)}`, []);
      drawEnergy(place, own, "On the chip alone", ["DRAM"]);
    }
    const layered = shown.filter((point) => data.details[point.detail].cycles);
    if (!layered.length) return;
    place.append(make("h3", {}, "Cycles by layer and unit"), make("p", { className: "note" },
      "Load, compute and store work side by side, also across layers: a layer's load is often done while "
      + "the layer before computes. A layer's share ends with its last compute command."));
    layered.forEach((point, index) => drawCycles(place, point, index < MOST_OPEN));
    place.append(make("h3", {}, "PE utilisation"),
      make("p", { className: "note" }, "Taps over lanes × the layer's cycles, in percent."));
    drawUtilisation(place, layered);
  });
};
