# SPDX-License-Identifier: GPL-2.0-only
"""Write newc cpio archives: as no root, with device nodes, without mknod or a staging tree."""
import os
import stat


class Cpio:
    """An initramfs written to `out`. Parents must be added before their children (mkdirs does)."""

    def __init__(self, out):
        self.out = out
        self.ino = 0
        self.dirs = {""}

    def _member(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/").encode()
        self.ino += 1
        fields = (self.ino, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(data), 0, 0, *rdev, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name + b"\0"
        self.out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def mkdirs(self, path, mode=0o755):
        path = path.strip("/")
        if path in self.dirs:
            return
        self.mkdirs(os.path.dirname(path))
        self.dirs.add(path)
        self._member(path, stat.S_IFDIR | mode)

    def data(self, path, data, mode=0o644):
        self.mkdirs(os.path.dirname(path.strip("/")))
        self._member(path, stat.S_IFREG | mode, data if isinstance(data, bytes) else data.encode())

    def file(self, path, src):
        with open(src, "rb") as f:
            self.data(path, f.read(), 0o755 if os.access(src, os.X_OK) else 0o644)

    def link(self, path, target):
        self.mkdirs(os.path.dirname(path.strip("/")))
        self._member(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, mode, major, minor):
        self.mkdirs(os.path.dirname(path.strip("/")))
        self._member(path, mode, rdev=(major, minor))

    def tree(self, path, src):
        """A copy of a file or a folder; links are kept, sockets and devices left out."""
        if os.path.islink(src):
            return self.link(path, os.readlink(src))
        if os.path.isfile(src):
            return self.file(path, src)
        if os.path.isdir(src):
            self.mkdirs(path)
            for name in sorted(os.listdir(src)):
                self.tree(f"{path}/{name}", f"{src}/{name}")

    def close(self):
        self._member("TRAILER!!!", 0)
        # The kernel takes concatenated archives, each starting at a multiple of 4; 512 is the custom.
        self.out.write(b"\0" * (-self.out.tell() % 512))
