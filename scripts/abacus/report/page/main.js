// Puts the page together.

for (const section of document.querySelectorAll(".drawn")) section.hidden = false;
if (abacus.data.metrics.length) {
  abacus.buildFilters();
  abacus.buildTable();
  abacus.buildFront();
  abacus.buildParallel();
  abacus.buildRoofline();
  abacus.buildDetails();
  abacus.update();
} else {
  for (const section of document.querySelectorAll(".drawn")) section.hidden = true;
}
document.body.dataset.ready = "yes";
