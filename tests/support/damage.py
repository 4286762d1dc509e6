"""Bytes of a store that a task alone stands for, to be damaged; and what verify says of it."""
import re

import h5py
import numpy

DONE = 1


def flip(path, offset, mask=0x41, count=1):
    with open(path, "r+b") as file:
        file.seek(offset)
        content = file.read(count)
        file.seek(offset)
        file.write(bytes(byte ^ mask for byte in content))


def kinds_in(path):
    """What can be damaged there: the dense network has no mask."""
    with h5py.File(path, "r") as file:
        tasks = file["tasks"][()][file["results"]["status"] == DONE]
    return ("weights", "curves", "rows") + (("masks",) if (tasks["writes_mask"] == 1).any() else ())


class Place:
    """A byte of one done task's results, and how many of them follow it."""

    def __init__(self, path, kind, choice):
        with h5py.File(path, "r") as file:
            tasks, done = file["tasks"][()], file["results"]["status"] == DONE
            self.parents = tasks["parent"]
            writers = {"masks": tasks["writes_mask"], "weights": tasks["writes_final"]}.get(kind, tasks["level"] >= 0)
            self.task = choice.choice([int(row) for row in numpy.flatnonzero(writers.astype(bool) & done)])
            row = tasks[self.task]
            network = list(file["parameters"])[row["network"]]
            if kind == "rows":
                dataset, index = file["results"], self.task
                column = choice.choice(["status", "message", "percent_remaining", "checksum"])
                self.byte, self.follow = dataset.dtype.fields[column][1], 0
            elif kind == "curves":
                dataset, index = file["curves"], row["curve_offset"] + choice.randrange(row["curve_count"])
                self.byte, self.follow = dataset.dtype.fields["validation_loss"][1], 0
            elif kind == "masks":
                dataset, index = file[f"masks/{network}/fc1.weight"], row["mask_slot"]
                self.choose(dataset.shape[1], choice)
            else:
                dataset, index = file[f"weights/{network}/fc1.weight/final"], row["final_slot"]
                self.choose(4 * dataset.shape[1] * dataset.shape[2], choice)
            size = dataset.dtype.itemsize
            for length in dataset.shape[1:]:
                size *= length
            self.offset = dataset.id.get_offset() + int(index) * size + self.byte

    def choose(self, size, choice):
        self.byte = choice.randrange(size)
        self.follow = size - self.byte - 1

    def descendants(self):
        found = {self.task}
        for row, parent in enumerate(self.parents):
            if parent in found:
                found.add(row)
        return found


def named(output):
    """Rows of the tasks that verify names, each once."""
    return {int(row): text for row, text in re.findall(r"^task (\d+): (.*)$", output, re.M)}
