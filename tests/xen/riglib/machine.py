"""One QEMU: its command line, its sockets, its QMP. Knows nothing of jobs, nor of what is said through its ports.

All sockets are socketpairs handed over as descriptors, so there are no paths to choose, protect or remove, and both
ends are connected before the machine runs. That is what lets a saved machine go on talking to another rig process.
"""
import ctypes
import json
import os
import signal
import socket
import subprocess

QEMU = "qemu-system-x86_64"
PORTS = ("ctl", "in", "out", "err", "res")
JOB_DISK = 8 << 30              # the size the machine sees; the file is sparse
MEMORY, DOM0_MEMORY = 4096, 2048

# SMAP, and maybe the others, break a PV dom0 under TCG; VMX and SVM would only make Xen busy. With XSAVE, processes of
# dom0 lose vector registers when a domU runs beside them (QEMU 7.2): wrong checksums, crashes in ps, asserts in ld.so.
CPU = "max,-vmx,-la57,-smap,-smep,-pku,-umip,-xsave"
CPUS = {"plain": CPU + ",-svm", "svm": CPU + ",+svm,+npt"}  # the second one runs PVH guests as well
XEN = (f"console=com1 com1=115200,8n1 dom0_mem={DOM0_MEMORY}M,max:{DOM0_MEMORY}M dom0_max_vcpus=2 bootscrub=0 "
       "spec-ctrl=no xpti=no pv-l1tf=no")           # the last three are for speed
LINUX = "console=hvc0 quiet mitigations=off"


def comma(path):
    return str(path).replace(",", ",,")


def command_line(boot, cpu, disk, fds):
    """QEMU's arguments: `boot` has xen, vmlinux and initrd, `disk` is never written, `fds` are inherited."""
    args = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", CPUS[cpu], "-smp", "2", "-m", str(MEMORY),
            "-kernel", str(boot / "xen"), "-append", XEN,
            "-initrd", f"{comma(boot / 'vmlinux')} {LINUX},{comma(boot / 'initrd')}",
            "-chardev", f"socket,id=qmp,fd={fds['qmp']}", "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=console,fd={fds['console']}", "-serial", "chardev:console",
            "-add-fd", f"fd={fds['job']},set=1",
            *disk,
            "-device", "virtio-blk-pci,drive=root,serial=root",
            "-drive", "if=none,id=job,file=/dev/fdset/1,format=raw,readonly=on,file.locking=off",
            "-device", "virtio-blk-pci,drive=job,serial=job",
            "-device", "virtio-serial-pci,id=ports"]
    for nr, name in enumerate(PORTS, 1):
        args += ["-chardev", f"socket,id={name},fd={fds[name]}",
                 "-device", f"virtserialport,bus=ports.0,nr={nr},chardev={name},name=rig.{name}"]
    if "state" in fds:
        args += ["-incoming", "defer"]          # so that events can be asked for first: see Qmp.load
    return args


def root_drive(path, fmt, temporary):
    return ("-drive", f"if=none,id=root,file={comma(path)},format={fmt},cache=unsafe"
            + (",snapshot=on" if temporary else ""))


PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """A preexec_fn: be killed when the rig is, however it ends; and leave ^C to the rig."""
    parent = os.getpid()

    def hook():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
    return hook


class Machine:
    def __init__(self, boot, cpu, disk, job_fd, log, scratch, state_fd=None):
        """Start it. `log` gets QEMU's own messages; `scratch` is where its throw-away overlay may grow."""
        names = ("qmp", "console", *PORTS)
        pairs = {name: socket.socketpair() for name in names}
        theirs = {name: pair[1].fileno() for name, pair in pairs.items()} | {"job": job_fd}
        if state_fd is not None:
            theirs["state"] = state_fd
        self.sockets = {name: pair[0] for name, pair in pairs.items()}
        self.qmp = Qmp(self.sockets["qmp"])
        with open(log, "ab") as log_file:
            self.process = subprocess.Popen(
                command_line(boot, cpu, disk, theirs), stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file,
                pass_fds=tuple(theirs.values()), preexec_fn=die_with_parent(),
                env={**os.environ, "TMPDIR": str(scratch)})
        for pair in pairs.values():
            pair[1].close()
        self.pidfd = os.pidfd_open(self.process.pid)
        if state_fd is not None:
            self.qmp.load(state_fd)

    def kill(self):
        """End it without ado: nothing in it is kept."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        for sock in self.sockets.values():
            sock.close()


class Qmp:
    """Both a reader of events, fed by whoever waits, and a caller of commands."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""
        self.send("qmp_capabilities")

    def send(self, command, fds=(), **arguments):
        message = json.dumps({"execute": command, "arguments": arguments}).encode()
        if fds:
            socket.send_fds(self.sock, [message], list(fds))
        else:
            self.sock.sendall(message)

    EVENTS = {"capabilities": [{"capability": "events", "state": True}]}

    def load(self, fd):
        """Start to load a saved machine; a MIGRATION event tells the end, and the machine is paused then."""
        self.send("migrate-set-capabilities", **self.EVENTS)
        self.send("migrate-incoming", uri=f"fd:{fd}")

    def messages(self):
        """What has come in; raises EOFError when QEMU is gone."""
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [json.loads(text) for text in lines if text.strip()]
