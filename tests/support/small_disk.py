"""A file system of so many bytes at FOLDER/small, where this process may mount one. It is mounted in a namespace of
its own, which a sleeping process holds: nothing is left of it when that ends."""
import pathlib
import subprocess


class SmallDisk:
    """`launcher` are the words to start a program with that is to see the disk; `path` is the disk as seen from
    here, until close(). is_mounted is false where mounting needs other rights."""

    def __init__(self, folder, size):
        (folder / "small").mkdir(exist_ok=True)
        script = f"mount -t tmpfs -o size={size} none small && cd / && echo mounted && exec sleep infinity"
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], cwd=folder, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.is_mounted = self.holder.stdout.readline() == "mounted\n"
        self.path = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}/small")
        self.launcher = ("nsenter", "--mount", "--target", str(self.holder.pid), "sh", "-c",
                         'cd "$0" && exec "$@"', str(folder))

    def fill(self):
        with open(self.path / "junk", "wb", buffering=0) as junk:
            try:
                while True:
                    junk.write(bytes(4096))
            except OSError:
                pass  # full

    def free(self):
        (self.path / "junk").unlink()

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
