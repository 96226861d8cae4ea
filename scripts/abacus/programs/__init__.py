"""The two programs, abacus and abacus-train, and what they say with --json."""
