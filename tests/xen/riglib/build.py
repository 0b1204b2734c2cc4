"""The saved machine: an initramfs around dom0-init, one boot of Xen, and the state at "ready" in a file.

The state is QEMU's migration stream, not a snapshot inside the qcow2: so all of an entry is read-only for its runs,
any number of which may start from it at once, each with its own temporary overlay.
"""
import contextlib
import os
import re
import selectors
import shutil
import stat
import time

from . import cache, machine, rootfs, say

BOOT_TIMEOUT = 400

# What Xen says last on its console. (Xen's debug builds prefix guests' output with their domain, so it cannot match.)
CRASH = re.compile(rb"^\(XEN\) (?:Panic on CPU|Hardware Dom0 (?:crashed|halted|shutdown))", re.M)

INIT = """#!/busybox sh
/busybox mkdir /proc /dev /new
/busybox mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do /busybox insmod "$module"; done
/busybox mount -t ext4 /dev/vda /new || exec /busybox sh -c 'echo "no root disk" >/dev/console'
/busybox cp /dom0-init /new/sbin/dom0-init
/busybox mount -o move /dev /new/dev
exec /busybox switch_root /new /sbin/dom0-init
"""


def cpio(files):
    """A newc archive of (name, mode, data)."""
    out = bytearray()

    def pad():
        out.extend(b"\0" * (-len(out) % 4))

    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + raw)
        pad()
        out.extend(data)
        pad()
    return bytes(out)


def initramfs(boot):
    file, exe = stat.S_IFREG | 0o644, stat.S_IFREG | 0o755
    modules = sorted(boot.glob("*.ko"))
    return cpio([("init", exe, INIT.encode()),
                 ("busybox", exe, (boot / "busybox").read_bytes()),
                 ("dom0-init", exe, (cache.LIB.parent / "dom0-init").read_bytes()),
                 ("modules", stat.S_IFDIR | 0o755, b""),
                 *((f"modules/{path.name}", file, path.read_bytes()) for path in modules)])


def make_machine(root, entry, cpu):
    """All of a rig entry."""
    for name in ("xen", "vmlinux"):
        os.link(root / name, entry / name)
    (entry / "initrd").write_bytes(initramfs(root / "boot"))
    log = entry / "build.log"
    rootfs.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", f"../{root.name}/disk.raw",
                str(entry / "disk.qcow2")], log)
    with say.step(3, 3, "boot Xen and dom0, save the machine at ready", 20):
        with cache.job_file() as f:
            job = cache.read_only(f)
        vm = machine.Machine(entry, cpu, machine.root_drive(entry / "disk.qcow2", "qcow2", False), job, log, entry)
        os.close(job)
        try:
            wait_ready(vm, entry / "console.log")
            save(vm, entry / "state")
        finally:
            vm.kill()


def wait_ready(vm, console_log):
    """Until dom0-init says so; the console goes to a file meanwhile."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    said, seen = b"", b""
    with selectors.DefaultSelector() as wait, open(console_log, "ab", 0) as console:
        for name in ("ctl", "console"):
            wait.register(vm.sockets[name], selectors.EVENT_READ, name)
        wait.register(vm.pidfd, selectors.EVENT_READ, "death")
        while b"ready\n" not in said:
            left = deadline - time.monotonic()
            if left <= 0:
                raise say.Failure(f"dom0 was not ready within {BOOT_TIMEOUT} s", 124)
            for key, _ in wait.select(left):
                if key.data == "death":
                    raise say.Failure("QEMU ended before dom0 was ready", 125)
                data = key.fileobj.recv(65536)
                if not data:
                    wait.unregister(key.fileobj)
                elif key.data == "console":
                    console.write(data)
                    seen += data
                    if CRASH.search(seen):
                        found = re.findall(rb"dom0-init: (.*?)\r?\n", seen)
                        why = found[-1].decode(errors="replace") if found else CRASH.search(seen)[0].decode()
                        raise say.Failure(f"dom0 did not come up: {why}", 125)
                else:
                    said += data


def save(vm, path):
    """Stop the machine and write its state."""
    qmp = vm.qmp
    qmp.send("stop")
    qmp.send("migrate-set-capabilities", **qmp.EVENTS)
    qmp.send("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
    with open(path, "wb") as f:
        qmp.send("getfd", fds=(f.fileno(),), fdname="state")
        qmp.send("migrate", uri="fd:state")
        vm.sockets["qmp"].settimeout(120)
        while True:
            try:
                messages = qmp.messages()
            except (EOFError, TimeoutError):
                raise say.Failure("QEMU did not save the machine", 125) from None
            for message in messages:
                if "error" in message:
                    raise say.Failure(f"QEMU did not save the machine: {message['error']['desc']}")
                if message.get("event") == "MIGRATION":
                    status = message["data"]["status"]
                    if status == "completed":
                        return
                    if status == "failed":
                        raise say.Failure("QEMU did not save the machine: migration failed")


@contextlib.contextmanager
def logs_of(entry, keep_logs):
    """Save the logs from the directory that a failure is about to remove, and say where they are."""
    try:
        yield
    except say.Failure as e:
        raise say.Failure(f"{e}; logs in {keep_logs(entry)}", e.status) from None


def prepare(suite, cpu, keep_logs):
    """Have both entries; returns them. Costs milliseconds when they are there."""
    keys = cache.Keys(suite, cpu)
    if not (keys.ready() and keys.root.exists()):
        with cache.locked(f"rig-{suite.name}"):
            if not keys.root.exists():
                if os.geteuid():
                    raise say.Failure("the first preparation needs root (mmdebstrap --mode=root)")
                missing = [tool for tool in ("mmdebstrap", "mke2fs", "qemu-img") if not shutil.which(tool)]
                if missing:
                    raise say.Failure(f"{' and '.join(missing)} not installed: run scripts/deps rig")
                shutil.rmtree(keys.rig, ignore_errors=True)     # its disk is an overlay of the root
                with cache.building(keys.root) as temp, logs_of(temp, keep_logs):
                    rootfs.make_root(suite, temp)
            if not keys.ready():
                shutil.rmtree(keys.rig, ignore_errors=True)
                with cache.building(keys.rig) as temp, logs_of(temp, keep_logs):
                    make_machine(keys.root, temp, cpu)
            cache.drop_unused(suite, (keys.rig, keys.root))
    cache.used(keys.rig)
    cache.used(keys.root)
    return keys
