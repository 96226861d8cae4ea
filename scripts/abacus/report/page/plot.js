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
  margin: { l: 56, r: 12, t: 34, b: 48 },
  hovermode: "closest",
  legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0 },
};

const drawn = new Set();

// Draws in an element of the page, anew or over what was there.
abacus.plot = (element, traces, layout, name) => {
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "toImage"],
  };
  element.classList.add("plot");
  window.Plotly.react(element, traces, { ...LAYOUT, ...layout }, config);
  if (!drawn.has(element)) {
    drawn.add(element);
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
