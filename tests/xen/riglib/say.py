"""What the rig tells its user: single lines on stderr, and steps that show they are alive on a terminal."""
import contextlib
import sys
import threading
import time


class Failure(Exception):
    """The rig cannot go on: one clear line for the user, and the exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def line(text):
    print(f"rig: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(number, total, what, usual):
    """Announce a step; on a terminal count its seconds; end with the time it took. `usual` is a hint in seconds."""
    begun = time.monotonic()
    head = f"[{number}/{total}] {what}"
    done = threading.Event()
    ticker = None
    if sys.stderr.isatty():
        def tick():
            while True:
                spent = time.monotonic() - begun
                print(f"\r\033[Krig: {head} ... {spent:.0f} s of about {usual}", end="", file=sys.stderr, flush=True)
                if done.wait(1):
                    return
        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
    else:
        line(f"{head} (about {usual} s) ...")
    failed = True
    try:
        yield
        failed = False
    finally:
        done.set()
        if ticker:
            ticker.join()
            print("\r\033[K", end="", file=sys.stderr)
        line(f"{head}: {'FAILED after ' if failed else ''}{time.monotonic() - begun:.1f} s")


def size(count):
    """Bytes, for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return ""


def age(seconds):
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
