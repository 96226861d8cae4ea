// The table that stands in the page: rows go and come with the filters, are sorted, chosen, and compared
// with the baseline.

const { data, make } = abacus;

const buildHead = (head, sort) => {
  head.prepend(make("th", {}, "✓"));
  [...head.cells].slice(1).forEach((cell, index) => {
    const button = make("button", { type: "button", className: "sort", on: { click: () => sort(index + 1) } });
    button.append(...cell.childNodes);
    cell.append(button);
  });
};

// Numbers by size, texts by name, what is missing last.
const byColumn = (column, metric, sign) => (a, b) => {
  const value = (row) => (metric >= 0 ? row.point.values[metric] : row.cells[column].textContent);
  const [left, right] = [value(a), value(b)];
  if (left === null || right === null) return (left === null) - (right === null);
  const order = metric >= 0 ? left - right : left.localeCompare(right, "en", { numeric: true });
  return sign * order;
};

abacus.buildTable = () => {
  const table = document.querySelector("#points table");
  const [head, ...bodies] = table.rows;
  const metrics = [...head.cells].map((cell) => abacus.metricAt(cell.dataset.metric));
  const rows = bodies.map((element, index) => {
    const point = data.points[index];
    const box = make("input", {
      type: "checkbox", ariaLabel: `details of ${point.name}`, on: { change: () => abacus.choose(point) },
    });
    element.prepend(make("td", {}, box));
    const changes = metrics.map((metric, column) => {
      if (metric < 0) return null;
      const change = make("span", { className: "change" });
      element.cells[column + 1].append(change);
      return change;
    });
    return { point, element, box, changes, cells: element.cells };
  });
  let [sorted, sign] = [0, 1];
  buildHead(head, (column) => {
    sign = column === sorted ? -sign : 1;
    sorted = column;
    rows.sort(byColumn(column, metrics[column - 1], sign));
    table.tBodies[0].append(...rows.map((row) => row.element));
  });
  abacus.listen(() => {
    const visible = new Set(abacus.visible());
    const { baseline, chosen } = abacus.state;
    for (const { point, element, box, changes } of rows) {
      element.hidden = !visible.has(point);
      element.classList.toggle("baseline", point === baseline);
      box.checked = chosen.has(point);
      changes.forEach((change, column) => {
        if (change) change.textContent = abacus.changeText(metrics[column], point, baseline);
      });
    }
  });
};
