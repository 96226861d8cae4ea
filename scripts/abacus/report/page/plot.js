// How all plots look; plotly.js draws them.

// Okabe and Ito's colours, told apart by colour-blind readers.
const COLOURS = [
  "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#555555",
];
abacus.colour = (index) => COLOURS[index % COLOURS.length];

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "x"];
abacus.symbol = (index) => SYMBOLS[index % SYMBOLS.length];

// A text of a file as plotly.js shows it: it would take tags as markup.
abacus.plain = (text, longest = 60) => abacus.shortened(text, longest)
  .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

abacus.axis = (title, more = {}) => ({
  title: { text: abacus.plain(title), standoff: 8 },
  gridcolor: "#e6e6e6",
  zeroline: false,
  linecolor: "#888",
  automargin: true,
  ...more,
});

abacus.metricAxis = (metric, isLog) =>
  abacus.axis(abacus.metricLabel(metric), { type: isLog ? "log" : "linear" });

const LAYOUT = {
  font: { family: "system-ui, DejaVu Sans, sans-serif", size: 12, color: "#222" },
  paper_bgcolor: "#fff",
  plot_bgcolor: "#fff",
  hovermode: "closest",
};
const MARGIN = { l: 56, r: 12, t: 34, b: 48 };
// plotly.js knows a legend's height in parts of the plot's alone; see placeLegend().
const LEGEND = { orientation: "h", y: -0.2, yanchor: "top", x: 0 };
const GAP = 8; // pixels above and below the legend

const drawn = new Set();

// Puts the legend below the axes' names, wherever these end, and leaves it as much room as it takes. Does
// nothing where it stands there already.
const placeLegend = (element) => {
  const box = (selector) => element.querySelector(selector)?.getBoundingClientRect();
  const [legend, area, frame] = [box(".legend"), box(".nsewdrag"), element.getBoundingClientRect()];
  if (!legend || !area || !frame.height) return;
  const ends = [...element.querySelectorAll(".xaxislayer-above, .g-xtitle")]
    .map((part) => part.getBoundingClientRect()).filter((part) => part.height)
    .map((part) => part.bottom - area.bottom);
  const below = Math.max(0, ...ends) + GAP;
  const bottom = Math.ceil(below + legend.height + GAP);
  const height = frame.height - (area.top - frame.top) - bottom;
  if (height < 1) return;
  const y = Math.max(-2, -below / height);
  const { margin, legend: given } = element.layout;
  if (Math.abs(margin.b - bottom) <= 1 && Math.abs(given.y - y) * height <= 1) return;
  window.Plotly.relayout(element, { "margin.b": bottom, "legend.y": y });
};

// Draws in an element of the page, anew or over what was there.
abacus.plot = (element, traces, layout, name) => {
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "toImage"],
  };
  element.classList.add("chart");
  // plotly.js writes into what it is given.
  const whole = { ...LAYOUT, margin: { ...MARGIN }, legend: { ...LEGEND }, ...layout };
  window.Plotly.react(element, traces, whole, config);
  placeLegend(element);
  if (!drawn.has(element)) {
    drawn.add(element);
    element.on("plotly_afterplot", () => placeLegend(element));
    element.after(abacus.make("button", {
      type: "button",
      className: "svg",
      on: { click: () => window.Plotly.downloadImage(element, { format: "svg", filename: name }) },
    }, "SVG"));
  }
};

// Of a plot that is drawn no longer.
abacus.removePlot = (element) => {
  window.Plotly.purge(element);
  drawn.delete(element);
};

// On paper plots have its width, whatever the window's was.
const PAPER_PIXELS = 680;
const resizeAll = (width) => {
  for (const element of drawn) {
    if (element.isConnected) window.Plotly.relayout(element, { width, autosize: width === null });
  }
};
window.addEventListener("beforeprint", () => resizeAll(PAPER_PIXELS));
window.addEventListener("afterprint", () => resizeAll(null));
