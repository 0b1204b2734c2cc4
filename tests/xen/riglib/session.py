"""One run in a machine: the job disk it gets, the streams it sends, and how it ended.

A stream (out, err, res) ends with this run's token, so it can be any bytes and its end is certain; a run is over when
the exit status and the ends of all streams are there. Anything else that ends a machine is a failure, and the
console of Xen and dom0 is read only to notice one early.
"""
import contextlib
import fcntl
import io
import os
import pathlib
import secrets
import selectors
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import termios
import time
import tty

from . import build, cache, machine, say

TIMED_OUT, ENDED_EARLY = 124, 125
RESTORE_TIMEOUT, REPORT_TIMEOUT = 60, 10


class EndedEarly(Exception):
    pass


class NotRestored(Exception):
    pass


class Stream:
    """Bytes up to a token, passed on as they come."""

    def __init__(self, token, sink):
        self.token, self.sink, self.held, self.ended = token, sink, b"", False

    def feed(self, data):
        if self.ended:
            return
        data = self.held + data
        at = data.find(self.token)
        if at >= 0:
            self.ended = True
            self.sink(data[:at])
            return
        keep = len(self.token) - 1
        while keep and not (len(data) >= keep and self.token.startswith(data[len(data) - keep:])):
            keep -= 1
        self.held = data[len(data) - keep:]
        self.sink(data[:len(data) - keep])


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def add_copy(tar, path):
    """A file or tree as job/<basename>, owned by root as anything installed would be."""
    def own(info):
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        return info
    source = pathlib.Path(path)
    name = source.resolve().name if source.name in ("", ".", "..") else source.name
    if source.is_symlink():
        source = source.resolve()
    try:
        tar.add(source, f"job/{name}", filter=own)
    except OSError as e:
        raise say.Failure(f"--copy={path}: {e.strerror}") from None


def job_disk(copies, command):
    """A read-only descriptor of a disk that is a tar: the copies, and the command as a script."""
    fd = os.open(cache.base(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with open(fd, "wb", closefd=False) as f, tarfile.open(fileobj=f, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in copies:
            add_copy(tar, path)
        script = os.fsencode("exec " + shlex.join(command) + "\n")
        info = tarfile.TarInfo("run/rig/command")
        info.size, info.mode = len(script), 0o755
        tar.addfile(info, io.BytesIO(script))
    if os.fstat(fd).st_size > machine.JOB_DISK:
        raise say.Failure(f"the copied files are more than {say.size(machine.JOB_DISK)}")
    os.ftruncate(fd, machine.JOB_DISK)
    return build.read_only(fd)


class Logs:
    """A run's directory: gone when it went well, kept for reading when not."""

    def __init__(self):
        runs = cache.base() / "rig-runs"
        runs.mkdir(parents=True, exist_ok=True)
        drop_old_logs(runs)
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


def drop_old_logs(runs, newest=20):
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


class Session:
    def __init__(self, keys, command, copies=(), out=None, timeout=None, terminal=None):
        """`terminal`: None, or "ROWS COLS TERM" for a command on the user's terminal."""
        self.keys, self.command, self.copies = keys, command, copies
        self.out, self.timeout, self.terminal = out, timeout, terminal
        self.logs = Logs()
        self.times = {}

    def run(self):
        """The command's status, or TIMED_OUT or ENDED_EARLY after a line that says why and where the logs are."""
        try:
            with contextlib.ExitStack() as stack:
                job = job_disk(self.copies, self.command)
                stack.callback(os.close, job)
                try:
                    return self.run_in(job, restore=True)
                except NotRestored as e:
                    say.line(f"the saved machine does not load ({e}); booting from cold, some 45 s")
                    return self.run_in(job, restore=False)
        except TimeoutError:
            self.logs.keep()
            say.line(f"timed out after {self.timeout:g} s; logs in {self.logs.keep()}")
            return TIMED_OUT
        except EndedEarly as e:
            say.line(f"{e}; logs in {self.logs.keep()}")
            return ENDED_EARLY
        finally:
            self.logs.close()

    def run_in(self, job, restore):
        begun = time.monotonic()
        state = None
        with contextlib.ExitStack() as stack:
            if restore:
                try:
                    state = os.open(self.keys.rig / "state", os.O_RDONLY | os.O_CLOEXEC)
                except OSError as e:
                    raise NotRestored(e.strerror) from None
                disk = machine.root_drive(self.keys.rig / "disk.qcow2", "qcow2", True)
            else:
                disk = machine.root_drive(self.keys.root / "disk.raw", "raw", True)
            vm = machine.Machine(self.keys.rig, disk, job, self.logs.path / "qemu.log", cache.base(), state)
            stack.callback(vm.kill)
            if state is not None:
                os.close(state)
            self.console = stack.enter_context(open(self.logs.path / "console.log", "ab", 0))
            wait = stack.enter_context(selectors.DefaultSelector())
            return self.loop(vm, wait, begun, restore, stack)

    def loop(self, vm, wait, begun, restore, stack):
        """Everything happens here: one wait, one handler for each source."""
        token = secrets.token_hex(16).encode()
        self.vm, self.token, self.begun = vm, token, begun
        self.status, self.said, self.tail = None, b"", b""
        self.streams = {"out": Stream(token, self.tee(1, "stdout")), "err": Stream(token, self.tee(2, "stderr"))}
        unpack = None
        if self.out is not None:
            unpack = self.unpacker(stack)
            self.streams["res"] = Stream(token, lambda data: write_all(unpack.stdin.fileno(), data))
        for name in ("console", "ctl", "qmp", "out", "err", "res"):
            wait.register(vm.sockets[name], selectors.EVENT_READ, name)
        wait.register(vm.pidfd, selectors.EVENT_READ, "death")
        if self.terminal:
            wait.register(0, selectors.EVENT_READ, "keys")
        self.running = self.started = False
        deadline = begun + (RESTORE_TIMEOUT if restore else build.BOOT_TIMEOUT)
        try:
            if not restore:
                build.wait_ready(vm, self.logs.path / "console.log")
                self.go()
            while self.status is None or not all(stream.ended for stream in self.streams.values()):
                if self.started and "started" not in self.times:
                    self.times["started"] = time.monotonic() - begun
                    deadline = time.monotonic() + self.timeout if self.timeout else None
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    if self.started:
                        self.report(wait)
                        raise TimeoutError
                    raise NotRestored("it did not continue in time") if restore else EndedEarly("dom0 did not start")
                for key, _ in sorted(wait.select(left), key=lambda event: event[0].data == "death"):
                    self.event(wait, key)
        except say.Failure as e:
            raise EndedEarly(str(e)) from None
        except EndedEarly:
            if restore and not self.running:
                raise NotRestored(self.last_words()) from None
            raise
        self.times["total"] = time.monotonic() - begun
        vm.process.kill()
        if unpack:
            unpack.stdin.close()
            if unpack.wait():
                raise say.Failure(f"--out={self.out}: the results could not be unpacked")
        return self.status

    def report(self, wait):
        """Ask dom0 what it is doing, for the logs. It may well not answer."""
        os.mkdir(self.logs.path / "dom0")
        with subprocess.Popen(["tar", "-x", "--no-same-owner", "-C", self.logs.path / "dom0", "-f", "-"],
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as tar:
            answer = Stream(self.token, lambda data: write_all(tar.stdin.fileno(), data))
            self.streams["res"] = answer
            deadline = time.monotonic() + REPORT_TIMEOUT
            with contextlib.suppress(EndedEarly, OSError):
                self.vm.sockets["ctl"].sendall(b"report\n")
                while not answer.ended and (left := deadline - time.monotonic()) > 0:
                    for key, _ in wait.select(left):
                        self.event(wait, key)

    def event(self, wait, key):
        name = key.data
        if name == "death":
            raise EndedEarly("QEMU ended before the command did")
        if name == "keys":
            data = os.read(0, 4096)
            if data:
                self.vm.sockets["in"].sendall(data)
            else:
                wait.unregister(0)
            return
        if name == "qmp":
            try:
                for message in self.vm.qmp.messages():
                    self.qmp(message)
            except EOFError:
                wait.unregister(key.fileobj)
            return
        try:
            data = key.fileobj.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            wait.unregister(key.fileobj)
        elif name == "console":
            self.console.write(data)
            seen = self.tail + data
            found = build.CRASH.search(seen)
            self.tail = seen[seen.rfind(b"\n") + 1:]       # lines may come in pieces
            if found:
                raise EndedEarly(f"the machine crashed: {found[0].decode()}")
        elif name == "ctl":
            *lines, self.said = (self.said + data).split(b"\n")
            for line in lines:
                if line == b"started":
                    self.started = True
                elif line.startswith(b"exit "):
                    self.status = int(line[5:])
        elif name in self.streams:
            self.streams[name].feed(data)

    def qmp(self, message):
        event = message.get("event")
        if event == "MIGRATION" and message["data"]["status"] == "completed":
            self.vm.qmp.send("cont")
        elif event == "MIGRATION" and message["data"]["status"] == "failed":
            raise EndedEarly("loading failed")
        elif event == "RESUME" and not self.running:
            self.times["loaded"] = time.monotonic() - self.begun
            self.go()
        elif event == "SHUTDOWN":
            raise EndedEarly(f"the machine was shut down ({message['data'].get('reason', 'no reason')})")
        elif event == "GUEST_PANICKED":
            raise EndedEarly("the machine panicked")

    def go(self):
        """dom0-init waits for this: its clock, its randomness, its job."""
        self.running = True
        lines = [f"seed {secrets.token_hex(48)}", f"token {self.token.decode()}"]
        if self.out is not None:
            lines.append("out yes")
        if self.terminal:
            lines.append(f"tty {self.terminal}")
        lines += [f"now {time.time():.3f}", "go"]
        self.vm.sockets["ctl"].sendall("".join(line + "\n" for line in lines).encode())

    def tee(self, fd, name):
        """To our own output; and to the logs, of which only failed runs keep any."""
        log = open(self.logs.path / name, "wb", 0)

        def sink(data):
            log.write(data)
            write_all(fd, data)
        return sink

    def unpacker(self, stack):
        os.makedirs(self.out, exist_ok=True)
        tar = subprocess.Popen(["tar", "-x", "--strip-components=1", "--no-same-owner", "-C", self.out, "-f", "-"],
                               stdin=subprocess.PIPE)
        stack.callback(lambda: (tar.kill(), tar.wait()) if tar.poll() is None else None)
        return tar

    def last_words(self):
        try:
            lines = (self.logs.path / "qemu.log").read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "QEMU ended"


@contextlib.contextmanager
def raw_terminal():
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
