"""What a run takes into dom0: its files and its command, as a tar that is the machine's second disk.

The disk is there at boot already, empty and of a fixed size; a continued machine has another file behind it. That
needs no hot-plugging, as long as nothing in the saved machine has read it.
"""
import io
import os
import pathlib
import shlex
import tarfile

from . import cache, machine, say


def name_of(path):
    path = pathlib.Path(path)
    return path.resolve().name if path.name in ("", "..") else path.name


def add_copy(tar, path):
    """A file or tree as job/<basename>, owned by root as anything installed would be."""
    def own(info):
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        return info
    source = pathlib.Path(path)
    name = name_of(path)
    if source.is_symlink():
        source = source.resolve()
    try:
        tar.add(source, f"job/{name}", filter=own)
    except OSError as e:
        raise say.Failure(f"--copy={path}: {e.strerror}") from None


def disk(copies, command):
    """A read-only descriptor of a disk that is a tar: the copies, and the command as a script."""
    with cache.job_file() as f:
        with tarfile.open(fileobj=f, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path in copies:
                add_copy(tar, path)
            script = os.fsencode("exec " + shlex.join(command) + "\n")
            info = tarfile.TarInfo("run/rig/command")
            info.size, info.mode = len(script), 0o755
            tar.addfile(info, io.BytesIO(script))
        f.flush()
        if os.fstat(f.fileno()).st_size > machine.JOB_DISK:
            raise say.Failure(f"the copied files are more than {say.size(machine.JOB_DISK)}")
        return cache.read_only(f)
