"""What a run leaves for reading when it fails. Knows nothing of what is in it."""
import fcntl
import os
import pathlib
import shutil
import tempfile
import time

from . import cache


class Logs:
    """A run's directory: gone when it went well, kept for reading when not."""

    def __init__(self):
        runs = cache.base() / "rig-runs"
        runs.mkdir(parents=True, exist_ok=True)
        drop_old(runs)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=runs))
        self.lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.kept = False

    def keep(self):
        self.kept = True
        (self.path / "kept").touch()
        return self.path

    def close(self):
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def drop_old(runs, newest=20):
    """What killed rigs left behind, and kept logs beyond the newest ones."""
    kept = []
    for path in sorted(runs.iterdir()):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            young = time.time() - path.stat().st_mtime < 60     # maybe just made and not locked yet
            if (path / "kept").exists():
                kept.append(path)
            elif not young:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(fd)
    for path in kept[:-newest]:
        shutil.rmtree(path, ignore_errors=True)
