"""The papers' figures from our own data."""
