"""Where results go: the one way in which the scripts write files, as sw/support/output_file.hpp
says it of the programs. A file is replaced whole or not at all, links are followed, devices and
pipes are written as they are, and two processes do not write the same."""

import errno
import fcntl
import os
import pathlib
import re
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from abacus.errors import AbacusError

MOST_LINKS = 40
PARTIAL = re.compile(r"\.abacus-[0-9a-f]{16}\.partial")


@dataclass(frozen=True)
class Target:
    """What a name leads to: an open descriptor of ours, a device, or a file, there or not."""

    path: pathlib.Path
    descriptor: int | None = None
    is_device: bool = False
    old: os.stat_result | None = None

    @property
    def is_file(self) -> bool:
        """To be replaced whole."""
        return self.descriptor is None and not self.is_device


def write_output(file: pathlib.Path, content: str | bytes) -> None:
    """Makes the folder where there is none."""
    data = content.encode() if isinstance(content, str) else content
    with told_of(file):
        make_parent(file)
        target = find_target(file)
        check_target(target)
        if target.is_file:
            sweep(target.path.parent)
            with partial_file(target.path.parent) as (descriptor, partial):
                write_all(descriptor, data)
                keep_owner_and_mode(descriptor, target.old)
                os.fsync(descriptor)
                os.replace(partial, target.path)
            sync_folder(target.path.parent)
        elif target.descriptor is not None:
            sys.stdout.flush()
            write_all(target.descriptor, data)
        else:
            descriptor = os.open(target.path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                write_all(descriptor, data)
            finally:
                os.close(descriptor)


def check_output(file: pathlib.Path) -> None:
    """AbacusError where write_output() could not begin; to be asked before the work."""
    with told_of(file):
        make_parent(file)
        target = find_target(file)
        check_target(target)
        if target.is_file:
            with partial_file(target.path.parent):
                pass


def make_parent(file: pathlib.Path) -> None:
    """OSError where there is no folder for the file, and none can be made."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OSError(errno.ENOTDIR, f"{file.parent} is no folder") from None


def make_folder(folder: pathlib.Path) -> None:
    """And those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise AbacusError(f"{folder}: cannot write into it: it is no folder") from None
    except OSError as error:
        raise AbacusError(f"{folder}: cannot make the folder: {error.strerror}") from None


@contextmanager
def reserved(folder: pathlib.Path, files: Iterable[pathlib.Path]) -> Iterator[None]:
    """A folder in which we alone work, and files in it that can be written."""
    make_folder(folder)
    lock = folder / ".abacus.lock"
    with told_of(folder):
        descriptor = open_lock(lock)
    if descriptor is None:
        raise AbacusError(f"{folder}: another process works in it")
    try:
        for file in files:
            check_output(file)
        yield
    finally:
        os.unlink(lock)  # while it is ours
        os.close(descriptor)


def open_lock(file: pathlib.Path) -> int | None:
    """The locked file, which is made; None where another process holds it. The kernel drops the
    lock with the process."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(file, flags, 0o666)
        if not take_lock(descriptor):
            os.close(descriptor)
            return None
        if is_same_file(file, descriptor):
            return descriptor
        os.close(descriptor)  # whoever held it has just removed it


def say(text: object) -> None:
    """On standard output; AbacusError where it does not arrive."""
    try:
        print(text, flush=True)
    except OSError as error:
        # Else Python tries once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AbacusError(f"cannot write to standard output: {error.strerror}") from None


@contextmanager
def told_of(file: pathlib.Path) -> Iterator[None]:
    """Errors name the file."""
    try:
        yield
    except OSError as error:
        raise AbacusError(f"{file}: cannot write it: {error.strerror}") from None


def find_target(file: pathlib.Path) -> Target:
    """Follows links, also to what is not there yet."""
    at = pathlib.Path(file)
    for _ in range(MOST_LINKS):
        descriptor = own_descriptor(at)
        if descriptor is not None:
            return Target(at, descriptor=descriptor)
        try:
            status = os.lstat(at)
        except FileNotFoundError:
            return Target(in_full(at))
        if stat.S_ISREG(status.st_mode):
            return Target(in_full(at), old=status)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, "it is a folder")
        if stat.S_ISSOCK(status.st_mode):
            raise OSError(errno.ENXIO, "it is a socket; allowed: a file, a device, a pipe")
        if not stat.S_ISLNK(status.st_mode):
            return Target(at, is_device=True)
        following = at.parent / os.readlink(at)
        # The kernel's links in /proc lead to pipes and terminals that have no name.
        if not os.path.lexists(following) and os.path.exists(at) and not os.path.isfile(at):
            return Target(at, is_device=True)
        at = following
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def own_descriptor(name: pathlib.Path) -> int | None:
    """Of /dev/fd/1, or of /proc/self/fd/1, to which /dev/stdout leads."""
    if not re.fullmatch("[0-9]{1,9}", name.name):
        return None
    if os.path.realpath(name.parent) != os.path.realpath("/proc/self/fd"):
        return None
    flags = fcntl.fcntl(int(name.name), fcntl.F_GETFL)
    if flags & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "the descriptor is open for reading alone")
    return int(name.name)


def in_full(at: pathlib.Path) -> pathlib.Path:
    """In a folder that is there."""
    if not at.parent.is_dir():
        raise OSError(errno.ENOENT, f"there is no folder {at.parent}")
    return at.parent.resolve() / at.name


def check_target(target: Target) -> None:
    """OSError where its permissions do not let us write it."""
    if target.descriptor is not None or (target.is_file and target.old is None):
        return
    if not os.access(target.path, os.W_OK, effective_ids=True):
        read_only = os.statvfs(target.path).f_flag & os.ST_RDONLY
        reason = errno.EROFS if read_only else errno.EACCES
        raise OSError(reason, os.strerror(reason))


@contextmanager
def partial_file(folder: pathlib.Path) -> Iterator[tuple[int, pathlib.Path]]:
    """A new locked file of a name that nobody can foresee, removed unless it was renamed."""
    while True:
        path = folder / f".abacus-{secrets.token_hex(8)}.partial"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o666)
        if take_lock(descriptor) and is_same_file(path, descriptor):
            break
        os.close(descriptor)  # swept before it was locked
    try:
        yield descriptor, path
    finally:
        if is_same_file(path, descriptor):
            os.unlink(path)
        os.close(descriptor)


def sweep(folder: pathlib.Path) -> None:
    """Removes what killed writers left: nobody holds its lock."""
    for name in os.listdir(folder) if os.access(folder, os.R_OK) else []:
        if not PARTIAL.fullmatch(name):
            continue
        file = folder / name
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if regular and take_lock(descriptor) and is_same_file(file, descriptor):
                os.unlink(file)
        except OSError:
            pass  # another user's
        finally:
            os.close(descriptor)


def take_lock(descriptor: int) -> bool:
    """False where another one holds it; a file system without locks has none to hold."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def is_same_file(file: pathlib.Path, descriptor: int) -> bool:
    """The file under that name is the open one."""
    try:
        return os.path.samestat(os.lstat(file), os.fstat(descriptor))
    except OSError:
        return False


def write_all(descriptor: int, data: bytes) -> None:
    """However many calls it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def keep_owner_and_mode(descriptor: int, old: os.stat_result | None) -> None:
    """Those of an older file, where we may set them."""
    if old is None:
        return
    with suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    with suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def sync_folder(folder: pathlib.Path) -> None:
    """So that the new name outlives a power cut."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return  # a folder that may be written and not read
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)
