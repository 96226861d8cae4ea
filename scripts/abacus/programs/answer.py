"""What a program says with --json."""

import json
from typing import Any

from abacus.errors import AbacusError

SCHEMA = 1

Answer = dict[str, Any]


def parse_answer(text: str, command: str) -> Answer:
    """An answer of this command ("describe") in this schema; AbacusError for anything else."""
    try:
        answer = json.loads(text)
    except ValueError:
        raise AbacusError(f"{command} --json gave no JSON but: {text.strip()[:200]}") from None
    if not isinstance(answer, dict):
        raise AbacusError(f"{command} --json: found no object but: {text.strip()[:200]}")
    for name, wanted in (("command", command), ("schema", SCHEMA)):
        if answer.get(name) != wanted:
            raise AbacusError(
                f"{command} --json: found {name} {answer.get(name)}; allowed: {wanted}"
            )
    return answer


def malformed(command: str, what: str, error: Exception) -> AbacusError:
    """Of an answer that lacks what was expected in it."""
    problem = f"no {error}" if isinstance(error, KeyError) else str(error)
    return AbacusError(f"no {what} of {command} --json: {problem}")
