"""One run in a machine: the streams it sends and how it ends.

A stream (out, err, res) ends with this run's token, so it can be any bytes and its end is certain; a run is over when
the exit status and the ends of all streams are there. Anything else that ends a machine is a failure, and the
console of Xen and dom0 is read only to notice one early.
"""
import contextlib
import os
import secrets
import selectors
import subprocess
import termios
import time
import tty

from . import build, cache, job, logs, machine, say

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


class Session:
    def __init__(self, keys, command, copies=(), out=None, timeout=None, terminal=None):
        """`terminal`: None, or "ROWS COLS TERM" for a command on the user's terminal."""
        self.keys, self.command, self.copies = keys, command, copies
        self.out, self.timeout, self.terminal = out, timeout, terminal
        self.logs = logs.Logs()
        self.times = {}
        self.begin(None)

    def begin(self, vm):
        """Everything about a machine that this run is in; a second one may follow a first that did not load."""
        self.vm, self.begun = vm, time.monotonic()
        self.token = secrets.token_hex(16).encode()
        self.running = self.started = False             # the machine; the command
        self.status, self.streams = None, {}
        self.said, self.tail = b"", b""                 # unfinished lines of dom0-init and the console
        self.console = None

    def run(self):
        """The command's status, or TIMED_OUT or ENDED_EARLY after a line that says why and where the logs are."""
        try:
            with contextlib.ExitStack() as stack:
                fd = job.disk(self.copies, self.command)
                stack.callback(os.close, fd)
                try:
                    return self.run_in(fd, restore=True)
                except NotRestored as e:
                    cache.distrust(self.keys.rig)
                    say.line(f"the saved machine does not load ({e}); booting from cold, some 20 s")
                    return self.run_in(fd, restore=False)
        except TimeoutError:
            say.line(f"timed out after {self.timeout:g} s; logs in {self.logs.keep()}")
            return TIMED_OUT
        except EndedEarly as e:
            say.line(f"{e}; logs in {self.logs.keep()}")
            return ENDED_EARLY
        finally:
            self.logs.close()

    def run_in(self, job_fd, restore):
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
            vm = machine.Machine(self.keys.rig, self.keys.cpu, disk, job_fd, self.logs.path / "qemu.log", cache.base(), state)
            stack.callback(vm.kill)
            self.begin(vm)
            if state is not None:
                os.close(state)
            self.console = stack.enter_context(open(self.logs.path / "console.log", "ab", 0))
            wait = stack.enter_context(selectors.DefaultSelector())
            unpack = self.unpacker(stack)
            for name, sink in (("out", self.tee(1, "stdout")), ("err", self.tee(2, "stderr"))):
                self.streams[name] = Stream(self.token, sink)
            if unpack:
                self.streams["res"] = Stream(self.token, lambda data: write_all(unpack.stdin.fileno(), data))
            self.watch(wait)
            try:
                if not restore:
                    build.wait_ready(vm, self.logs.path / "console.log")
                    self.go()
                self.loop(wait, restore)
            except say.Failure as e:
                raise EndedEarly(str(e)) from None
            except EndedEarly:
                if restore and not self.running:
                    raise NotRestored(self.last_words()) from None
                raise
            self.times["total"] = time.monotonic() - self.begun
            vm.process.kill()
            if unpack:
                unpack.stdin.close()
                if unpack.wait():
                    raise say.Failure(f"--out={self.out}: the results could not be unpacked")
            return self.status

    def watch(self, wait):
        vm = self.vm
        for name in ("console", "ctl", "qmp", "out", "err", "res"):
            wait.register(vm.sockets[name], selectors.EVENT_READ, name)
        wait.register(vm.pidfd, selectors.EVENT_READ, "death")
        if self.terminal:
            wait.register(0, selectors.EVENT_READ, "keys")

    def loop(self, wait, restore):
        """Until the command's status and the ends of all its streams are there: one wait, a handler per source."""
        deadline = time.monotonic() + RESTORE_TIMEOUT
        while self.status is None or not all(stream.ended for stream in self.streams.values()):
            if self.started and "started" not in self.times:
                self.times["started"] = time.monotonic() - self.begun
                deadline = time.monotonic() + self.timeout if self.timeout else None
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                if self.started:
                    self.report(wait)
                    raise TimeoutError
                raise NotRestored("it did not continue in time") if restore else EndedEarly("dom0 took no job")
            # A death comes last, after what the dead one still said.
            for key, _ in sorted(wait.select(left), key=lambda event: event[0].data == "death"):
                self.event(wait, key)

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
        if self.out is None:
            return None
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
