// The visible points as a file.

const { data, make } = abacus;

// A text that a spreadsheet would take for a formula gets a quote before it.
const field = (value) => {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

abacus.csvText = () => {
  const kinds = [...new Set(data.points.flatMap((point) => point.hashes.map(([kind]) => kind)))];
  const header = [
    "name", "status", "images", ...data.axes, ...data.metrics.map((metric) => metric.key),
    "accuracy_low_percent", "accuracy_high_percent", ...kinds.map((kind) => `${kind}_hash`),
  ];
  const lines = abacus.visible().map((point) => [
    point.name, point.status, point.images, ...point.axes, ...point.values,
    ...(point.interval || [null, null]),
    ...kinds.map((kind) => (point.hashes.find(([found]) => found === kind) || [])[1]),
  ]);
  return [header, ...lines].map((line) => `${line.map(field).join(",")}\n`).join("");
};

abacus.downloadCsv = () => {
  const address = URL.createObjectURL(new Blob([abacus.csvText()], { type: "text/csv" }));
  make("a", { href: address, download: "points.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};
