"""The plotting library of the page: plotly.js, in its bundle of bars, lines and points, which npm's
registry keeps. It is fetched once a user, into the cache, and goes into every page as it is."""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from abacus.errors import AbacusError
from abacus.output import say, write_output

PACKAGE = "plotly.js-basic-dist-min"
VERSION = "3.7.0"
MEMBER = "package/plotly-basic.min.js"
SHA256 = "c23b03591a6bdad0bd0f47a0c5c52305a5519812b73ce254be65cd841553c9c2"  # of the member

NPM_SECONDS = 300


def library_file() -> pathlib.Path:
    """Where it lies, beside the integer packages of abacus."""
    cache = os.environ.get("XDG_CACHE_HOME")
    if cache:
        return pathlib.Path(cache) / "abacus" / f"plotly-basic-{VERSION}.min.js"
    home = pathlib.Path(os.environ.get("HOME") or ".")
    return home / ".cache" / "abacus" / f"plotly-basic-{VERSION}.min.js"


def read_library() -> str:
    """Its text; AbacusError where it is not there or is another one."""
    file = library_file()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AbacusError(
            f"{file}: {error.strerror}: pages need plotly.js {VERSION}; fetch it once from npm's "
            f"registry by scripts/fetch-plotly (scripts/setup.sh does), or where there is no "
            f"network bring {PACKAGE}-{VERSION}.tgz and run scripts/fetch-plotly FILE"
        ) from None
    return checked(content, str(file)).decode()


def checked(content: bytes, origin: str) -> bytes:
    """The same, if it is the one that we know."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise AbacusError(
            f"{origin}: it is not plotly.js {VERSION}: found SHA-256 {found}; allowed: {SHA256}; "
            "remove the file and run scripts/fetch-plotly"
        )
    return content


def fetched() -> bytes:
    """From the registry, by npm."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--loglevel=error", f"{PACKAGE}@{VERSION}"]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=NPM_SECONDS,
            )
        except FileNotFoundError:
            raise AbacusError("there is no npm; Debian's package npm has it") from None
        except subprocess.TimeoutExpired:
            raise AbacusError(f"{' '.join(command)}: no answer in {NPM_SECONDS} s") from None
        if done.returncode:
            reason = "; ".join(done.stderr.strip().splitlines()[:3]) or "it failed"
            raise AbacusError(f"{' '.join(command)}: {reason}")
        return unpacked(pathlib.Path(folder) / f"{PACKAGE}-{VERSION}.tgz")


def unpacked(file: pathlib.Path) -> bytes:
    """The library, of npm's archive."""
    try:
        with tarfile.open(file) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise KeyError(MEMBER)
            return member.read()
    except OSError as error:
        raise AbacusError(f"{file}: {error.strerror or error}") from None
    except (KeyError, tarfile.TarError):
        raise AbacusError(f"{file}: it is no {PACKAGE}-{VERSION}.tgz") from None


def main(given: list[str]) -> None:
    """scripts/fetch-plotly."""
    parser = argparse.ArgumentParser(
        prog="scripts/fetch-plotly",
        description=f"Bring plotly.js {VERSION}, which abacus report puts into its pages.",
    )
    parser.add_argument(
        "archive",
        nargs="?",
        type=pathlib.Path,
        metavar=f"{PACKAGE}-{VERSION}.tgz",
        help="npm's archive, brought by hand; default: npm fetches it",
    )
    parser.add_argument(
        "--check", action="store_true", help="fetch nothing; exit status 1 if it is not there"
    )
    arguments = parser.parse_args(given)
    try:
        if arguments.check:
            read_library()
            return
        content = unpacked(arguments.archive) if arguments.archive else fetched()
        write_output(library_file(), checked(content, str(arguments.archive or PACKAGE)))
        say(f"fetch-plotly: {library_file()}")
    except AbacusError as error:
        sys.exit(f"fetch-plotly: {error}")
