"""The page of a results.json."""
