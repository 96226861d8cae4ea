"""Runs a program, and ends it when the user stops."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import IO

from abacus import places
from abacus.errors import AbacusError, Stopped

STOPPED_STATUS = 130  # of both programs, after SIGINT or SIGTERM
SECONDS_TO_END = 30


def find_program(name: str, folder: pathlib.Path | None) -> pathlib.Path:
    """In the folder if one is given, else in the build's, else on PATH."""
    searched = [folder] if folder is not None else places.BUILDS
    for place in searched:
        if os.access(place / name, os.X_OK):
            return place / name
    on_path = shutil.which(name) if folder is None else None
    if on_path:
        return pathlib.Path(on_path)
    raise AbacusError(
        f"there is no program {name} in {' or '.join(map(str, searched))}"
        f"{'' if folder is not None else ' or on PATH'}; build it with "
        "scripts/build.sh release abacus abacus-train, or name its folder by --bin"
    )


def stop_on_signals() -> None:
    """SIGINT and SIGTERM raise Stopped from now on."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def run(command: Sequence[object]) -> str:
    """Passes the program's stderr on; what it says on stdout comes back. Raises Stopped if it or we
    were stopped, AbacusError with the program's own last error if it failed."""
    environment = dict(os.environ)
    # Torch's threads would spin while they wait and take the processors from one another.
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    last: list[str] = []
    said: list[str] = []
    process = subprocess.Popen(
        [argument(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        errors="replace",
    )
    readers = [
        threading.Thread(target=pass_on, args=(process.stderr, last), daemon=True),
        threading.Thread(target=listen, args=(process.stdout, said), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        status = process.wait()
    except Stopped:
        end(process)
        raise
    finally:
        for reader in readers:
            reader.join(1)  # longer only where a child of the program lives on
    if status in (STOPPED_STATUS, -signal.SIGINT, -signal.SIGTERM):
        raise Stopped
    if status != 0:
        name = pathlib.Path(str(command[0])).name
        raise AbacusError(last[0] if last else f"{name} ended with status {status}")
    return said[0] if said else ""


def argument(part: object) -> str:
    """A path that begins with a dash must not pass for an option."""
    text = str(part)
    return f"./{text}" if isinstance(part, pathlib.Path) and text.startswith("-") else text


def pass_on(errors: IO[str], last: list[str]) -> None:
    """To our own stderr, indented; `last` keeps the last line."""
    with errors:
        for line in errors:
            sys.stderr.write("  " + line)
            sys.stderr.flush()
            if line.strip():
                last[:] = [line.strip()]


def listen(output: IO[str], said: list[str]) -> None:
    """All of it."""
    with output:
        said.append(output.read())


def end(process: subprocess.Popen[str]) -> None:
    """Asks it to, and makes it where it does not."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
