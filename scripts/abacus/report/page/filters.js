// Filters by axes and status, and the baseline.

const { data, make } = abacus;
const MOST_BOXES = 14;

// Boxes to tick, one a value.
const boxes = (axis, values) => {
  const removed = new Set();
  return values.map((value, index) =>
    abacus.makeBox(`filter-${axis}-${index}`, abacus.shortened(abacus.cell(value)), true, (checked) => {
      if (checked) removed.delete(value);
      else removed.add(value);
      if (removed.size) abacus.state.filters.set(axis, (found) => !removed.has(found));
      else abacus.state.filters.delete(axis);
      abacus.update();
    }));
};

// From … to, of many numbers.
const range = (axis) => {
  const ends = ["from", "to"].map((word) => make("input", {
    id: `filter-${axis}-${word}`, type: "number", step: "any", placeholder: word,
    ariaLabel: word, on: { change: () => apply() },
  }));
  const apply = () => {
    const [low, high] = ends.map((end) => (end.value === "" ? null : Number(end.value)));
    abacus.state.filters.set(axis, (found) =>
      typeof found === "number" && (low === null || found >= low) && (high === null || found <= high));
    if (low === null && high === null) abacus.state.filters.delete(axis);
    abacus.update();
  };
  return ends;
};

// A part of one of many texts.
const search = (axis) => {
  const field = make("input", {
    id: `filter-${axis}-text`, type: "search", placeholder: "contains", ariaLabel: "contains",
    on: {
      input: () => {
        const words = field.value.toLowerCase();
        if (words) {
          abacus.state.filters.set(axis, (found) => abacus.cell(found).toLowerCase().includes(words));
        } else abacus.state.filters.delete(axis);
        abacus.update();
      },
    },
  });
  return [field];
};

const filter = (axis, title, values) => {
  const numbers = values.every((value) => typeof value === "number" || value === null);
  let inputs = null;
  if (values.length <= MOST_BOXES) inputs = boxes(axis, values);
  else inputs = numbers ? range(axis) : search(axis);
  return make("details", { className: "filter" }, make("summary", {}, title), ...inputs);
};

const build = () => {
  const place = document.getElementById("filters");
  const points = [["", "none"], ...data.points.map((point) => [point.index, abacus.shortened(point.name)])];
  const statuses = [...new Set(data.points.map((point) => point.status))];
  const filters = abacus.varying.map((axis) => filter(axis, data.axes[axis], abacus.valuesOf(axis)));
  if (statuses.length > 1) filters.unshift(filter("status", "status", statuses));
  const count = make("span", { id: "count", role: "status" });
  abacus.listen(() => {
    count.textContent = `${abacus.visible().length.toLocaleString("en")} of `
      + `${data.points.length.toLocaleString("en")} points`;
  });
  const reset = make("button", {
    type: "button", id: "reset",
    on: {
      click: () => {
        place.replaceChildren();
        build();
        abacus.update({ filters: new Map(), brushes: new Map() });
      },
    },
  }, "Show all");
  const baseline = abacus.makeSelect(
    "baseline", "Baseline", points, abacus.state.baseline ? abacus.state.baseline.index : "",
    (value) => abacus.update({ baseline: value === "" ? null : data.points[Number(value)] }));
  const csv = make(
    "button", { type: "button", id: "csv", on: { click: () => abacus.downloadCsv() } }, "CSV");
  place.append(make("div", { className: "bar" }, baseline, count, reset, csv));
  place.append(make("div", { className: "bar" }, ...filters));
  place.hidden = false;
};
abacus.buildFilters = build;
