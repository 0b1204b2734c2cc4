"""The Debian suites a dom0 can be made of: a row each. Another suite needs another row and nothing else."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    xen: str                    # the version in the names of Xen's packages
    packages: tuple = ()        # beside those every suite has
    mirrors: tuple = ()

    @property
    def include(self):
        return (f"xen-hypervisor-{self.xen}-amd64", f"xen-utils-{self.xen}", "qemu-system-xen", "linux-image-amd64",
                *COMMON, *self.packages)


COMMON = ("busybox-static", "iproute2", "procps", "strace", "util-linux", "mount", "kmod", "nftables",
          "containernetworking-plugins", "iptables", "iputils-ping", "socat", "ethtool", "tcpdump")


def mirrors(name):
    return (f"deb http://deb.debian.org/debian {name} main",
            f"deb http://deb.debian.org/debian {name}-updates main",
            f"deb http://deb.debian.org/debian-security {name}-security main")


SUITES = {suite.name: suite for suite in (
    # The libraries are those that stage1's programs are linked to.
    Suite("bookworm", "4.17", ("libarchive13", "libjson-c5", "libmd0", "systemd", "systemd-journal-remote"), mirrors("bookworm")),
    Suite("trixie", "4.20", ("libarchive13t64", "libjson-c5", "libmd0"), mirrors("trixie")),
)}
