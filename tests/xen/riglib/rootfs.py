"""dom0's disk and boot files out of Debian packages: mmdebstrap into a directory, then mke2fs. No mounts, no loops."""
import gzip
import lzma
import os
import pathlib
import shutil
import struct
import subprocess

from . import machine, say

DISK_SIZE = "6G"                # sparse

# What of linux-image a dom0 in QEMU can use; the rest is 300 MB, most of it drivers.
MODULES = ("drivers/block/*", "drivers/net/xen-*", "drivers/net/tun*", "drivers/net/tap*", "drivers/net/veth*",
           "drivers/net/dummy*", "drivers/net/macvlan*", "drivers/net/ipvlan/*", "drivers/xen/*", "drivers/virtio/*",
           "drivers/char/virtio_console*", "fs/ext4/*", "fs/jbd2/*", "fs/mbcache*", "fs/overlayfs/*", "fs/squashfs/*",
           "fs/fuse/*", "fs/9p/*", "fs/netfs/*", "fs/fscache/*", "fs/configfs/*", "fs/autofs/*", "lib/*", "crypto/*",
           "arch/*", "net/core/*", "net/802/*", "net/llc/*", "net/bridge/*", "net/netfilter/*", "net/ipv4/*",
           "net/ipv6/*", "net/8021q/*", "net/sched/*", "net/unix/*", "net/packet/*", "net/9p/*")
DROP = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/lib/udev/hwdb*",
        "/usr/lib/xen-*/boot/xen-shim", "/boot/*.efi", "/boot/System.map-*")


def run(args, log, **options):
    """Run one tool with its output in a log, and fail with the log's end."""
    with open(log, "ab") as f:
        done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=f, stderr=f, check=False,
                              preexec_fn=machine.die_with_parent(), **options)
    if done.returncode:
        tail = pathlib.Path(log).read_text(errors="replace").strip().splitlines()[-5:]
        raise say.Failure(f"{args[0]} failed with status {done.returncode}:\n  " + "\n  ".join(tail))


def confined():
    """A prefix that gives a tool its own mounts and processes, so that both are gone when it is, however it ends."""
    prefix = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    able = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return prefix if able else []


def make_tree(suite, tree, log):
    """Debian in a directory."""
    filters = [f"--dpkgopt=path-exclude={path}" for path in DROP]
    for lib in ("/lib", "/usr/lib"):                    # where packages have modules differs among suites
        filters += [f"--dpkgopt=path-exclude={lib}/modules/*/kernel/{kind}/*"
                    for kind in ("drivers", "sound", "fs", "net", "samples")]
        filters += [f"--dpkgopt=path-include={lib}/modules/*/kernel/{path}" for path in MODULES]
    run([*confined(), "mmdebstrap", "--mode=root", "--variant=essential", f"--include={','.join(suite.include)}",
         '--aptopt=Apt::Install-Recommends "false"', *filters, "--dpkgopt=force-unsafe-io",
         suite.name, str(tree), *suite.mirrors], log, env={**os.environ, "INITRD": "No", "LC_ALL": "C"})
    for initrd in (tree / "boot").glob("initrd.img-*"):
        initrd.unlink()


def make_disk(tree, disk, log):
    """A tree as a sparse ext4 image. No journal: what is on it is thrown away or read-only."""
    disk.touch()
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-E", "root_owner=0:0,lazy_itable_init=1",
         "-m", "0", "-L", "dom0", "-d", str(tree), str(disk), DISK_SIZE], log)


def unpack_xen(tree, target):
    """QEMU's multiboot loader wants the plain ELF."""
    found = sorted((tree / "boot").glob("xen-*-amd64.gz"))
    if not found:
        raise say.Failure("no hypervisor in the packages")
    with gzip.open(found[-1]) as source, open(target, "wb") as f:
        shutil.copyfileobj(source, f)


def unpack_kernel(tree, target):
    """The ELF out of a bzImage, by its boot protocol header: an emulated Xen would take many seconds for it."""
    image = sorted((tree / "boot").glob("vmlinuz-*"))[-1].read_bytes()
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = image[start:start + length]
    if payload.startswith(b"\xfd7zXZ"):
        # The last 4 bytes are the size, not xz's: a decompressor object leaves them alone.
        payload = lzma.LZMADecompressor().decompress(payload)
    target.write_bytes(payload if payload.startswith(b"\x7fELF") else image)    # Xen unpacks the other kinds itself


def make_root(suite, entry):
    """All of a rig-root entry: the disk, Xen, the kernel, and the modules an initramfs needs."""
    log = entry / "build.log"
    tree = entry / "tree"
    usual = {"tree": 25, "disk": 3}
    with say.step(1, 3, f"Debian {suite.name} packages for dom0", usual["tree"]):
        make_tree(suite, tree, log)
        unpack_xen(tree, entry / "xen")
        unpack_kernel(tree, entry / "vmlinux")
        keep_boot_modules(tree, entry / "boot")
    with say.step(2, 3, "dom0's disk", usual["disk"]):
        make_disk(tree, entry / "disk.raw", log)
        shutil.rmtree(tree)


def keep_boot_modules(tree, target):
    """What it takes to mount the disk, in the order to load it, and a static busybox."""
    target.mkdir()
    modules = sorted((tree / "lib/modules").iterdir())[-1]
    deps = {}
    for text in (modules / "modules.dep").read_text().splitlines():
        name, _, rest = text.partition(":")
        deps[name] = rest.split()
    by_name = {pathlib.PurePath(path).name.split(".")[0].replace("-", "_"): path for path in deps}
    order = []

    def add(path):
        for dep in deps[path]:
            add(dep)
        if path not in order:
            order.append(path)

    for name in ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4"):
        if name in by_name:                             # else it is built in
            add(by_name[name])
    for nr, path in enumerate(order):
        data = (modules / path).read_bytes()
        if path.endswith(".xz"):
            data = lzma.decompress(data)
        name = pathlib.PurePath(path).name.removesuffix(".xz")
        (target / f"{nr:02}-{name}").write_bytes(data)
    shutil.copy(tree / "bin/busybox", target / "busybox")
