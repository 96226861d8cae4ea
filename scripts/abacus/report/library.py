"""The plotting library of the page: plotly.js, which Debian's python3-plotly ships as its authors
wrote it. Debian's esbuild takes out what a browser need not read, once a user; what is left lies in
the cache and goes into every page."""

import hashlib
import os
import pathlib
import re
import subprocess
from contextlib import suppress

from abacus.errors import AbacusError
from abacus.output import write_output

SOURCE = pathlib.Path("/usr/share/python3-plotly/plotly.js")
VERSION = "2.6.3"
SHA256 = "069b5c4f1d0e92f32b40303a7ad602cdeb5de9c0bfa5db7f4737c4dd80ff76ee"

# Of what esbuild 0.17.0 makes of it. Another esbuild's may differ and serves, but is not kept:
# nobody could tell whether it is whole.
MINIFIED_SHA256 = "2fdca19edc00aca4c79a3b21073fc4b645ee6c4ab3994932f72a4a111999b22e"

PACKAGES = "Debian 12's packages python3-plotly and esbuild have it; scripts/setup.sh installs them"
ESBUILD_SECONDS = 300


def library_file() -> pathlib.Path:
    """Where the short form lies, beside the integer packages of abacus."""
    cache = os.environ.get("XDG_CACHE_HOME")
    home = pathlib.Path(os.environ.get("HOME") or ".")
    folder = pathlib.Path(cache) if cache else home / ".cache"
    return folder / "abacus" / f"plotly-{VERSION}.min.js"


def read_library(source: pathlib.Path = SOURCE) -> str:
    """Its text; AbacusError where it is not there or is another one."""
    kept = library_file()
    with suppress(OSError):
        content = kept.read_bytes()
        if hashlib.sha256(content).hexdigest() == MINIFIED_SHA256:
            return content.decode()
    content = minified(source_text(source))
    if hashlib.sha256(content).hexdigest() == MINIFIED_SHA256:
        with suppress(AbacusError):  # a page needs no cache
            write_output(kept, content)
    return content.decode()


def source_text(file: pathlib.Path) -> bytes:
    """As its authors wrote it."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AbacusError(
            f"{file}: {error.strerror}: pages need plotly.js {VERSION}; {PACKAGES}"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise AbacusError(
            f"{file}: it is not plotly.js {VERSION}: found SHA-256 {found}; allowed: {SHA256}; "
            f"{PACKAGES}"
        )
    return content


def minified(source: bytes) -> bytes:
    """By esbuild, below the authors' notice of copyright."""
    notice = re.match(rb"/\*.*?\*/\n", source, re.DOTALL)
    command = ["esbuild", "--minify", "--log-level=error"]
    try:
        done = subprocess.run(command, input=source, capture_output=True, timeout=ESBUILD_SECONDS)
    except FileNotFoundError:
        raise AbacusError(
            f"there is no esbuild: pages need plotly.js {VERSION}; {PACKAGES}"
        ) from None
    except subprocess.TimeoutExpired:
        raise AbacusError(f"esbuild: no answer in {ESBUILD_SECONDS} s") from None
    if done.returncode:
        reason = "; ".join(done.stderr.decode(errors="replace").strip().splitlines()[:3])
        raise AbacusError(f"esbuild: {reason or 'it failed'}")
    return (notice[0] if notice else b"") + done.stdout
