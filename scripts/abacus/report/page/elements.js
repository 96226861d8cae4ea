// Elements of the page. Texts are set as texts, never as markup: they come from files of unknown origin.

// `attributes`: properties of the element, and `on`, its listeners by event. A child is an element or a text.
abacus.make = (tag, attributes = {}, ...children) => {
  const { on = {}, ...properties } = attributes;
  const element = Object.assign(document.createElement(tag), properties);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children);
  return element;
};

// A select with a label; `options`: [value, text] each; `change` gets the value.
abacus.makeSelect = (id, label, options, value, change) => {
  const entries = options.map(([of, text]) =>
    abacus.make("option", { value: of, selected: String(of) === String(value) }, text));
  const select = abacus.make(
    "select", { id, on: { change: () => change(select.value) } }, ...entries);
  return abacus.make("label", {}, `${label} `, select);
};

// A box to tick with a label; `change` gets whether it is ticked.
abacus.makeBox = (id, label, checked, change) => {
  const box = abacus.make(
    "input", { id, type: "checkbox", checked, on: { change: () => change(box.checked) } });
  return abacus.make("label", {}, box, ` ${label}`);
};
