// Taps a DRAM byte against taps a cycle, below what the hardware allows.

const { data, make } = abacus;
const MOST_CEILINGS = 12;
const LONGEST_ENTRY = 32;

const markers = (points) => ({
  type: "scatter",
  mode: "markers",
  x: points.map((point) => point.roofline[0]),
  y: points.map((point) => point.roofline[1]),
  text: points.map((point) => `${abacus.hoverText(point, [])}<br>`
    + `${abacus.number(point.roofline[0])} taps a DRAM byte<br>${abacus.number(point.roofline[1])} taps a cycle`),
  hoverinfo: "text",
  customdata: points.map((point) => point.index),
});

const networks = (points) => [...new Set(points.map(abacus.groupName))];

// min(lanes, bytes a cycle × taps a byte), from `low` to `high` taps a byte.
const ceiling = ([lanes, bytes], low, high) => {
  const ridge = lanes / bytes;
  const x = [low, ridge, high].filter((at) => at >= low && at <= high);
  return {
    type: "scatter",
    mode: "lines",
    x,
    y: x.map((at) => Math.min(lanes, bytes * at)),
    name: `${abacus.number(lanes)} lanes, ${abacus.number(bytes)} bytes a cycle`,
    line: { width: 1.2, color: "#777" },
    hoverinfo: "name",
    showlegend: false,
  };
};

abacus.buildRoofline = () => {
  const place = document.getElementById("roofline");
  if (!data.points.some((point) => point.roofline)) {
    place.parentElement.hidden = true;
    return;
  }
  const element = make("div", {});
  const note = make("p", { className: "note" });
  place.append(element, note);
  abacus.listen(() => {
    const points = abacus.visible().filter((point) => point.roofline);
    const names = networks(data.points);
    const byNetwork = networks(points).map((name) => ({
      ...markers(points.filter((point) => abacus.groupName(point) === name)),
      name: abacus.plain(name, LONGEST_ENTRY),
      marker: {
        size: 9, color: abacus.colour(names.indexOf(name)), symbol: abacus.symbol(names.indexOf(name)),
        line: { width: 0.7, color: "#fff" },
      },
    }));
    const kinds = new Map(points.filter((point) => point.roofline[2] && point.roofline[3])
      .map((point) => [point.roofline.slice(2).join(), point.roofline.slice(2)]));
    const at = points.map((point) => point.roofline[0]);
    const ridges = [...kinds.values()].map(([lanes, bytes]) => lanes / bytes);
    const low = [...at, ...ridges].reduce((a, b) => Math.min(a, b), Infinity) / 2;
    const high = [...at, ...ridges].reduce((a, b) => Math.max(a, b), 0) * 2;
    const ceilings = [...kinds.values()].slice(0, MOST_CEILINGS).map((kind) => ceiling(kind, low, high));
    abacus.plot(element, [...ceilings, ...byNetwork], {
      height: 420,
      xaxis: abacus.axis("Taps a DRAM byte", { type: "log" }),
      yaxis: abacus.axis("Taps a cycle", { type: "log" }),
    }, "roofline");
    note.textContent = kinds.size > MOST_CEILINGS
      ? `Ceilings of ${MOST_CEILINGS} of ${kinds.size} kinds of hardware are drawn.`
      : [...kinds.values()].map(([lanes, bytes]) =>
        `${abacus.number(lanes)} lanes, ${abacus.number(bytes)} bytes a cycle`).join("; ");
  });
};
