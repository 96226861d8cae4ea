"""Tables of README and docs that come from results.json of shipped scenarios."""
