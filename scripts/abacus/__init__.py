"""Reports, plots and the papers' tables, made by Abacus' two programs."""
