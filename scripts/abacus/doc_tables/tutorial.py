"""docs/tutorial.md, done as it says: its commands run one after another, in a folder that looks
like the project's to them, and what they say goes below them."""

import os
import pathlib
import re
import subprocess
import tempfile

from abacus import places
from abacus.errors import AbacusError

DOCUMENT = places.ROOT / "docs" / "tutorial.md"
# Commands, and the block for what they say, where there is one.
STEP = re.compile(r"```sh\n(?P<commands>.*?)```\n(?:\n```text\n(?P<said>.*?)```\n)?", re.DOTALL)
SECONDS = 900  # a step


def like_the_project(folder: pathlib.Path, program: pathlib.Path) -> None:
    """What the commands name, and an empty results/."""
    for part in ("scenarios", "scripts"):
        (folder / part).symlink_to(places.ROOT / part)
    (folder / "results").mkdir()
    programs = folder / "build" / "program" / "bin"
    programs.mkdir(parents=True)
    (programs / "abacus").symlink_to(program.resolve())


def run(commands: str, before: str, folder: pathlib.Path) -> str:
    """What they say on standard output; AbacusError where one fails. `before`: what earlier steps
    said to the shell, such as aliases."""
    # The reader sits at a desk: where CI is set, goldens are not updated.
    environment = {name: text for name, text in os.environ.items() if name != "CI"}
    done = subprocess.run(
        ["/bin/bash", "-c", f"shopt -s expand_aliases\n{before}\nset -e\n{commands}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise AbacusError(f"{DOCUMENT}: this failed:\n{commands}{done.stdout}{done.stderr}")
    return done.stdout


def done(text: str, program: pathlib.Path) -> str:
    """The document's text with what its commands say today."""
    aliases = "\n".join(re.findall(r"^alias .*$", text, flags=re.MULTILINE))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        like_the_project(folder, program)

        def step(found: re.Match[str]) -> str:
            said = run(found["commands"], aliases, folder)
            if found["said"] is None:
                return found[0]
            lines = "".join(f"{line.rstrip()}\n" for line in said.splitlines())
            return f"```sh\n{found['commands']}```\n\n```text\n{lines}```\n"

        return STEP.sub(step, text)
