"""Runs abacus and abacus-train, and ends them when the user stops."""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

from .errors import ReproductionError, Stopped

STOPPED_STATUS = 130  # of both programs, after SIGINT or SIGTERM
SECONDS_TO_END = 30


def resource_folder():
    """Where abacus finds hardware presets and energy tables."""
    home = os.environ.get("ABACUS_HOME")
    return pathlib.Path(home) if home else pathlib.Path(__file__).resolve().parent.parent.parent


def find_program(name, folder):
    """In the folder if one is given, else in the build's, else on PATH."""
    if folder is not None:
        places = [pathlib.Path(folder)]
    else:
        root = pathlib.Path(__file__).resolve().parent.parent.parent
        places = [root / "build" / preset / "bin" for preset in ("release", "trainer", "simulator")]
    for place in places:
        if os.access(place / name, os.X_OK):
            return place / name
    on_path = shutil.which(name) if folder is None else None
    if on_path:
        return pathlib.Path(on_path)
    raise ReproductionError(
        f"there is no program {name} in {' or '.join(map(str, places))}"
        f"{'' if folder is not None else ' or on PATH'}; build it with "
        "scripts/build.sh release abacus abacus-train, or name its folder by --bin")


def sha256_of(file):
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def stop_on_signals():
    def stop(_signal, _frame):
        raise Stopped
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def run(command):
    """Passes the program's stderr on; what it says on stdout comes back. Raises Stopped if it or we
    were stopped, ReproductionError with the program's own last error if it failed."""
    environment = dict(os.environ)
    # Torch's threads would spin while they wait and take the processors from one another.
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    process = subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment, text=True, errors="replace")
    last = []

    def pass_on():
        for line in process.stderr:
            sys.stderr.write("  " + line)
            sys.stderr.flush()
            if line.strip():
                last[:] = [line.strip()]

    said = []
    readers = [threading.Thread(target=pass_on, daemon=True),
               threading.Thread(target=lambda: said.append(process.stdout.read()), daemon=True)]
    for reader in readers:
        reader.start()
    try:
        status = process.wait()
    except Stopped:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    finally:
        for reader in readers:
            reader.join(1)
    if status in (STOPPED_STATUS, -signal.SIGINT, -signal.SIGTERM):
        raise Stopped
    if status != 0:
        raise ReproductionError(last[0] if last else
                                f"{pathlib.Path(command[0]).name} ended with status {status}")
    return said[0] if said else ""
