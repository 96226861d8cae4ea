"""The tables of the papers, and our own, with our figures beside the published ones."""
