"""Reads sweepstake stores: tables as pandas DataFrames, masks and weights as numpy arrays.

    >>> import sweepstake
    >>> store = sweepstake.open("sample.h5")
    >>> store
    <sweepstake store 'sample': 5 of 5 tasks finished>
    >>> store.points[["control", "level", "task", "status"]].head(2)
      control  level  task status
    0  ticket      0     0   done
    1  ticket      1     1   done
    >>> store.mask(task=1, parameter="fc1.weight").shape
    (3, 5)
    >>> sorted(store.weights(task=1, when="final"))
    ['fc1.bias', 'fc1.weight', 'fc2.bias', 'fc2.weight']

A task is named by its row in /tasks, the number in `points.task`. Parameters bear PyTorch's names and
shapes, so that a network takes a ticket as it is:

    net.load_state_dict({name: torch.from_numpy(array) for name, array in store.ticket(task).items()})

A store may be read while its grid runs: every call opens the file, reads what is there, and closes it.
Needs h5py, numpy and pandas.
"""
import contextlib
import os

import h5py
import numpy
import pandas

FORMAT, FORMAT_VERSION = "sweepstake", 1
FINISHED = ("done", "diverged")


class StoreError(Exception):
    """What was asked for is not in the store; the text says why."""


def open(path):
    """The store at `path`. Raises StoreError when the file is something else."""
    return Store(path)


def _open_unlocked(path):
    """Without a lock, where h5py can: some network file systems have none, and the run that writes takes none."""
    try:
        return h5py.File(path, "r", locking=False)
    except (TypeError, ValueError):  # an h5py or HDF5 without the choice
        return h5py.File(path, "r")
    except OSError as error:
        if "file locking flag" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has it open with a lock; HDF5 wants all its handles alike


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _frame(table, index):
    """A compound array as a DataFrame, text columns decoded."""
    columns = {}
    for name in table.dtype.names:
        column = table[name]
        if column.dtype.kind == "S":
            column = numpy.array([_text(value) for value in column.tolist()], dtype=object)
        columns[name] = column
    return pandas.DataFrame(columns, index=pandas.RangeIndex(len(table), name=index))


def _live(table):
    """How many rows the present grid asks for; orphans, kept from an earlier one, come after them."""
    if "orphan" not in table.dtype.names:
        return len(table)
    orphans = numpy.flatnonzero(table["orphan"] == 1)
    return int(orphans[0]) if orphans.size else len(table)


def _words(codes, names):
    """Codes as the words the store gives for them."""
    names = [_text(name) for name in names]
    return [names[code] if 0 <= code < len(names) else "unknown" for code in codes]


class Store:
    """A results store. Tables are properties; each access reads them anew."""

    def __init__(self, path):
        self.path = os.fspath(path)
        with self._file() as file:
            if _text(file.attrs.get("format", "")) != FORMAT:
                raise StoreError(f"{self.path} is an HDF5 file of another program, not a sweepstake store")
            version = int(file.attrs.get("format_version", -1))
            if version != FORMAT_VERSION:
                raise StoreError(f"{self.path} is a store of format version {version}; "
                                 f"this module reads version {FORMAT_VERSION}")
            self.attributes = {name: _text(value) if isinstance(value, bytes) else value
                               for name, value in file.attrs.items()}
            self.grid = _text(file["grid"][0])  # the text that was submitted

    def __repr__(self):
        with self._file() as file:
            live, names = _live(file["tasks"]), file["results"].attrs["status_names"]
            finished = numpy.isin(_words(file["results"]["status"][:live], names), FINISHED)
            orphans = len(file["tasks"]) - live
        return (f"<sweepstake store '{self.attributes['name']}': {finished.sum()} of {live} tasks finished"
                + (f", and {orphans} of an earlier grid>" if orphans else ">"))

    @contextlib.contextmanager
    def _file(self):
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"there is no file {self.path}")
        try:
            file = _open_unlocked(self.path)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened as HDF5: {error}") from None
        with file:
            yield file

    # --- tables ---

    @property
    def experiments(self):
        """A row an experiment: every field of the grid, named by its dotted path."""
        with self._file() as file:
            return _frame(file["experiments"][:_live(file["experiments"])], "experiment")

    @property
    def tasks(self):
        """A row a training run: what determines its result, and where what it keeps is."""
        with self._file() as file:
            return _frame(file["tasks"][:_live(file["tasks"])], "task")

    @property
    def results(self):
        """A row a task: status, remaining weights, early stop, losses and accuracies."""
        with self._file() as file:
            return self._results(file, slice(0, _live(file["tasks"])))

    @staticmethod
    def _results(file, rows):
        frame = _frame(file["results"][rows], "task")
        names = file["results"].attrs
        frame["status"] = _words(frame["status"], names["status_names"])
        frame["reason"] = _words(frame["reason"], names["reason_names"])
        return frame

    @property
    def orphans(self):
        """Tasks that the present grid does not ask for, kept from an earlier one, with their results. Their
        numbers serve mask(), weights() and ticket() like any other's."""
        with self._file() as file:
            live = _live(file["tasks"])
            tasks = _frame(file["tasks"][live:], "task")
            results = self._results(file, slice(live, None))
        tasks.index = results.index = pandas.RangeIndex(live, live + len(tasks), name="task")
        return tasks.join(results, rsuffix="_of_result")

    @property
    def points(self):
        """What one plots: a row for each experiment, level and control, joined with its task, result and
        experiment. A name that is taken already gets its table's (task_level, experiment_name, ...)."""
        with self._file() as file:
            points = _frame(file["points"][:_live(file["points"])], None)
        joined = [points]
        names = set(points.columns)
        for prefix, table, rows in (("task_", self.tasks, points["task"]), ("result_", self.results, points["task"]),
                                    ("experiment_", self.experiments, points["experiment"])):
            table = table.rename(columns={name: prefix + name for name in names.intersection(table.columns)})
            names.update(table.columns)
            joined.append(table.iloc[rows.to_numpy()].set_axis(points.index))
        return pandas.concat(joined, axis=1)

    @property
    def curves(self):
        """Training curves of the finished tasks: task, iteration, losses and accuracies."""
        tasks, results = self.tasks, self.results
        tasks = tasks[results["status"].isin(FINISHED)]
        counts = tasks["curve_count"].to_numpy()
        with self._file() as file:
            curves = file["curves"][:]
        rows = [numpy.arange(offset, offset + count) for offset, count in zip(tasks["curve_offset"], counts)]
        frame = _frame(curves[numpy.concatenate(rows).astype(int)] if rows else curves[:0], None)
        frame.insert(0, "task", numpy.repeat(tasks.index.to_numpy(), counts))
        return frame

    @property
    def environment(self):
        """A row a run and host; `results.environment` refers to it."""
        with self._file() as file:
            frame = _frame(file["environment"][:], "environment")
            return frame[frame["host"] != ""]

    def parameters(self, task):
        """The parameters of a task's network: name, kind, shape (dim0...), whether prunable."""
        with self._file() as file:
            return _Task(self, file, task).parameters

    # --- masks and weights ---

    def mask(self, task, parameter):
        """Which weights remain: a bool array in the parameter's shape. What is never pruned, and everything
        in a dense network, remains."""
        with self._file() as file:
            return _Task(self, file, task).mask(parameter)

    def weights(self, task, when, parameter=None):
        """The weights of a task as a dict of float32 arrays by parameter, or one parameter's array.

        when: "init", "rewind" (what the task was rewound to), "early-stop" or "final"; or a set by its name in
        the store, such as "rewind-500". A task that diverged has NaN for what it never reached."""
        with self._file() as file:
            return _Task(self, file, task).weights(when, parameter)

    def ticket(self, task):
        """What a task was trained from: its starting weights, those that are pruned 0. A dict by parameter."""
        with self._file() as file:
            return _Task(self, file, task).ticket()


class _Task:
    """One task in an open file."""

    def __init__(self, store, file, task):
        count = len(file["tasks"])
        if not 0 <= task < count:
            raise StoreError(f"there is no task {task}: {store.path} has tasks 0 to {count - 1}")
        self.store, self.file, self.number = store, file, int(task)
        self.row = file["tasks"][self.number]
        for self.network, table in file["parameters"].items():
            if table.attrs["index"] == self.row["network"]:
                break
        self.parameters = _frame(table[:], "parameter")
        self.whens = [_text(name) for name in table.attrs.get("whens", [])]

    def _status(self):
        results = self.file["results"]
        return _words([results[self.number]["status"]], results.attrs["status_names"])[0]

    def _require_finished(self):
        if self._status() not in FINISHED:
            raise StoreError(f"task {self.number} is not done yet: it is {self._status()}")

    def _parameter(self, name):
        found = self.parameters[self.parameters["name"] == name]
        if found.empty:
            raise StoreError(f"there is no parameter '{name}' in task {self.number}; it has "
                             + ", ".join(self.parameters["name"]))
        return found.iloc[0]

    @staticmethod
    def _shape(parameter):
        return tuple(int(parameter[f"dim{i}"]) for i in range(parameter["rank"]))

    def mask(self, name):
        parameter = self._parameter(name)
        shape, slot = self._shape(parameter), self.row["mask_slot"]
        self._require_finished()
        if not parameter["prunable"] or (slot < 0 and self.row["level"] == 0):
            return numpy.ones(shape, dtype=bool)
        if slot < 0:
            raise StoreError(f"the mask of task {self.number} was not kept")
        packed = self.file[f"masks/{self.network}/{name}"][slot]
        return numpy.unpackbits(packed, count=int(parameter["count"])).reshape(shape).astype(bool)

    def weights(self, when, name=None):
        when, slot = self._place(when)
        names = list(self.parameters["name"]) if name is None else [self._parameter(name)["name"]]
        arrays = {name: self.file[f"weights/{self.network}/{name}/{when}"][slot] for name in names}
        return arrays if name is None else arrays[name]

    def ticket(self):
        if self.row["start"] == b"parent-final":
            weights = _Task(self.store, self.file, self.row["parent"]).weights("final")
        else:
            weights = self.weights(_text(self.row["start"]))
        return {name: numpy.where(self.mask(name), array, numpy.float32(0)) for name, array in weights.items()}

    # --- which set of weights, and where ---

    def _place(self, when):
        """The set's name in the file and the task's slot in it."""
        family = "rewind" if when.startswith("rewind") else "at" if when.startswith("at-") else when
        if family not in ("init", "rewind", "at", "early-stop", "final"):
            raise StoreError(f"there are no weights '{when}'; there may be init, rewind, early-stop and final")
        if when == "rewind":
            when = self._rewind()
            family = "init" if when == "init" else family
        slot = self.row[family.replace("-", "_") + "_slot"]
        if when not in self.whens or slot < 0 or not self._writer(family)._wrote(family, when):
            raise StoreError(f"the weights '{when}' of task {self.number} were not kept; "
                             "the grid's `snapshots` says which are")
        self._writer(family)._require_finished()
        return when, slot

    def _rewind(self):
        """Which of the network's rewind points is this task's."""
        if self.row["start"] == b"rewind":
            iteration = self.row["start_iteration"]
            return f"rewind-{iteration}" if iteration > 0 else "init"
        own = [when for when in self.whens if when.startswith("rewind-") and self._wrote("rewind", when)]
        if len(own) > 1:
            raise StoreError(f"task {self.number} keeps several rewind points: ask for one of " + ", ".join(own))
        return own[0] if own else "rewind"

    def _writer(self, family):
        """The task that writes a set this one uses: a lineage's initial and rewind weights are its first's."""
        shared = family == "init" and not self.row["writes_init"] or family == "rewind" and not self.row["rewind_set"]
        return _Task(self.store, self.file, self.row["root"]) if shared and self.row["root"] != self.number else self

    def _wrote(self, family, when):
        if family not in ("rewind", "at"):
            return self.row["writes_" + family.replace("-", "_")] == 1
        members = [name for name in self.whens if name.startswith(family + "-")]
        return when in members and bool(int(self.row[family + "_set"]) >> members.index(when) & 1)
