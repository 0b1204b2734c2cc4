"""Where built things are kept: atomic, locked directories named by a hash of all they were built from.

Two kinds of entry: rig-root-SUITE-KEY (dom0's disk; depends on packages only, slow to make) and rig-SUITE-KEY (boot
files and the saved machine; depends on the rig as well, quicker to make).
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from . import machine, say

LIB = pathlib.Path(__file__).resolve().parent
# Files that make the machine what it is. The others (sessions, messages) may change without a new machine.
MACHINE_FILES = (LIB / "machine.py", LIB / "build.py", LIB.parent / "dom0-init")


def base():
    env = os.environ
    return pathlib.Path(env.get("STAGE1_XEN_CACHE") or
                        pathlib.Path(env.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "stage1-xen")


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        h.update(b"%d:" % len(data) + data)
    return h.hexdigest()[:12]


def candidates(packages):
    """The versions apt would install now, as text. Empty where apt knows nothing of them (another suite)."""
    done = subprocess.run(["apt-cache", "policy", *packages], env={**os.environ, "LC_ALL": "C"},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    lines = done.stdout.decode(errors="replace").splitlines()
    return "\n".join(text.strip() for text in lines if text[:1] != " " or text.startswith("  Candidate:"))


def memo(directory, stamp_files, compute):
    """compute() costs half a second and its answer changes only with apt's files: remember it."""
    def stamp(path):
        try:
            return f"{path} {os.stat(path).st_mtime_ns}"
        except OSError:
            return f"{path} -"
    key = digest(*(stamp(path) for path in stamp_files))
    path = directory / f"rig-versions-{key}"
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    value = compute()
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("rig-versions-*"):
        old.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as f:
        f.write(value)
    os.replace(f.name, path)
    return value


def processor():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        return next((line for line in f if line.startswith("model name")), "")


class Keys:
    """The two entries that a suite and a CPU (of machine.CPUS) need, as this host is now."""

    def __init__(self, suite, cpu):
        self.cpu = cpu
        packages = (*suite.include, "xen-utils-common", "libc6")
        stamps = ("/var/lib/apt/lists", "/var/lib/dpkg/status", "/etc/apt/sources.list", "/etc/apt/sources.list.d")
        versions = memo(base(), (*stamps, *packages), lambda: candidates(packages))
        qemu = shutil.which(machine.QEMU)
        if not qemu:
            raise say.Failure(f"{machine.QEMU} is not installed: run scripts/deps rig")
        at = os.stat(os.path.realpath(qemu))
        root = digest(suite.name, suite.include, suite.mirrors, versions, (LIB / "rootfs.py").read_bytes())
        # Under TCG the machine's TSC is the host's, and Xen measured its rate: another processor, another machine.
        rest = digest(root, cpu, qemu, at.st_size, at.st_mtime_ns, processor(),
                      *(path.read_bytes() for path in MACHINE_FILES))
        self.root = base() / f"rig-root-{suite.name}-{root}"
        self.rig = base() / f"rig-{suite.name}-{rest}"

    def ready(self):
        return (self.rig / "state").exists()


@contextlib.contextmanager
def locked(name):
    """Alone among all rigs. Waits, and says so."""
    base().mkdir(parents=True, exist_ok=True)
    with open(base() / f"{name}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say.line("another rig is preparing; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def building(entry):
    """A directory to build in, which becomes `entry` when all went well and vanishes when not."""
    for old in base().glob(f"{entry.name}.tmp-*"):      # we hold the lock: whoever made it was killed
        shutil.rmtree(old, ignore_errors=True)
    temp = pathlib.Path(tempfile.mkdtemp(prefix=f"{entry.name}.tmp-", dir=base()))
    try:
        yield temp
        temp.chmod(0o755)
        os.replace(temp, entry)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def used(entry):
    os.utime(entry)


def job_file():
    """A sparse file without a name, as large as the machine believes its job disk to be."""
    f = tempfile.TemporaryFile(dir=base())
    f.truncate(machine.JOB_DISK)
    return f


def read_only(f):
    """A descriptor of an open file: QEMU takes one only in the mode it wants."""
    return os.open(f"/proc/self/fd/{f.fileno()}", os.O_RDONLY | os.O_CLOEXEC)


def distrust(rig):
    """A saved machine that does not load is made anew, but only once: maybe it is not the file's fault."""
    try:
        with open(base() / f"{rig.name}.unloadable", "x", encoding="ascii"):
            pass
        (rig / "state").unlink(missing_ok=True)
    except FileExistsError:
        pass


def drop_unused(suite, keep, days=7):
    """Entries of a suite that no run has touched for long: each is most of a gigabyte."""
    for kind in ("rig-root-", "rig-"):
        for entry in base().glob(f"{kind}{suite.name}-*"):
            if entry not in keep and ".tmp-" not in entry.name and time.time() - entry.stat().st_mtime > days * 86400:
                shutil.rmtree(entry, ignore_errors=True)
