"""Writes a target's seeds into a folder: tests/fuzz/seeds.py TARGET FOLDER. The layouts of the inputs are
those that the targets' comments give; of the reports, src/dist/wire.h's."""

import gzip
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def grid():
    for path in [*sorted((ROOT / "grids").glob("*.yaml")), *sorted((ROOT / "src/grid/recipes").glob("*.yaml"))]:
        if path.stat().st_size <= 4096:
            yield path.read_bytes()


# --- data sets: see folder.h ---


def folder(files, packed=0, request=(-1, -1, 1)):
    there = sum(1 << i for i, file in enumerate(files) if file is not None)
    files = [file or b"" for file in files]
    lengths = b"".join(struct.pack("<H", len(file)) for file in files[:-1])
    return struct.pack("<B3b", there | packed << 4, *request) + lengths + b"".join(files)


def idx():
    def images(count, height, width):
        return struct.pack(">4I", 0x803, count, height, width) + bytes(i % 251 for i in range(count * height * width))

    def labels(count):
        return struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count))

    files = [images(5, 4, 3), labels(5), images(2, 4, 3), labels(2)]
    yield folder(files)
    yield folder(files, packed=15, request=(4, 1, 2))
    yield folder([gzip.compress(file, mtime=0) for file in files])
    yield folder([images(5, 4, 3), labels(4), images(2, 3, 4), labels(2)])
    yield folder([files[0][:40], files[1], None, files[3]])


def cifar():
    def batch(count):
        return b"".join(bytes([i % 10]) + bytes([i]) * 3072 for i in range(count))

    yield folder([batch(2), None, None, batch(1)])
    yield folder([batch(1), batch(1), None, batch(1)], packed=9)
    yield folder([gzip.compress(batch(3), mtime=0), None, None, gzip.compress(batch(2), mtime=0)])
    yield folder([batch(1), None, batch(1), batch(1)])
    yield folder([batch(1) + b"x", None, None, batch(1)[:-1]], request=(-1, -1, 0))


# --- the store: see store.c ---


def store():
    yield b"\x00"
    yield b"\x00name: not a store\n"
    yield b"\x00\x89HDF\r\n\x1a\n" + bytes(120)
    yield b"\x01"
    for place in range(0, 12000, 400):
        yield b"\x01\x00" + struct.pack("<HB", place, 4) + b"\xff\xff\xff\x7f"
    for number in range(24):
        yield b"\x01\x01" + bytes([number, 8]) + b"\xff" * 8
        yield b"\x01\x02" + bytes([2 * number, 5, 2 * number, 2, 5, 20])
    yield b"\x01\x02" + bytes([0, 1, 0, 1, 1])
    yield b"\x01\x02" + bytes([0, 5, 0, 1, 64 + 40])
    for place in (0, 1, 100, 9000, 65000):
        yield b"\x01\x03" + struct.pack("<H", place)


# --- the wire: see wire.c ---

READY, ALIVE, OUTCOME, BROKEN = 1, 2, 3, 4
DONE, DIVERGED, INTERRUPTED, FAILED = 0, 1, 2, 3
STORE_STATUS = {DONE: 1, DIVERGED: 2, INTERRUPTED: 0, FAILED: 3}
NONE = float("nan")


def message(worker, body):
    return struct.pack("<BH", worker, len(body)) + body


def report(kind, task=-1, iteration=0.0, status=0, seconds=0.0, digest=0, tail=b""):
    return struct.pack("<iidiidQ", kind, task, iteration, status, 0, seconds, digest) + tail


def outcome(task, status, reason=0, text=b""):
    row = struct.pack("<2i96s2qdq36d", STORE_STATUS[status], reason, text, 0, 7, 50.0, 2, *[0.5] * 36)
    row += struct.pack("<d64s2iq", 1.0, b"", -1, 0, 0)
    return report(OUTCOME, task, status=status, seconds=1.0, digest=9, tail=row)


def order(kind, task=-1):
    return struct.pack("<4i", kind, task, 0, 0)


def wire():
    hello = b"".join(message(worker, report(READY)) for worker in range(3))
    beats = message(0, report(ALIVE, 0, 2.0)) + message(1, report(ALIVE))
    yield hello + beats
    for first in (DONE, DIVERGED, FAILED, INTERRUPTED):
        yield hello + message(0, outcome(0, first, reason=first == FAILED, text=b"why"))
    tasks = (message(task % 3, outcome(task, DONE)) for task in range(5))
    yield hello + b"".join(tasks)
    failed = message(0, outcome(0, FAILED, reason=1, text=b"again"))
    yield hello + failed + failed
    broken = report(BROKEN, tail=b"no room".ljust(512, b"\0"))
    yield hello + b"".join(message(worker, broken) for worker in range(3))
    yield b"".join(message(0, order(kind, 1)) for kind in (1, 2, 3, 4))


def main():
    target, to = sys.argv[1], pathlib.Path(sys.argv[2])
    for number, seed in enumerate(globals()[target]()):
        (to / f"seed-{number:02}").write_bytes(seed)


main()
