"""Section `networks`: the time of a training step by network and density, over the dense kernels with the same mask,
and PyTorch's time over ours. Ours, dense and PyTorch's steps take turns; the shortest of each counts."""
import os

from common import Table, built, json_lines, ratio

try:
    from torch_networks import Subject as TorchSubject
except ImportError:
    TorchSubject = None

# Batches are the recipes'. Steps are those of a round, for each subject. Short steps are disturbed the most by other
# work on the machine, so they get more rounds.
NETWORKS = {"lenet-300-100": {"batch": 60, "steps": 200, "densities": (1, .5, .21, .1, .036, .01), "rounds": 12},
            "conv-2": {"batch": 60, "steps": 4, "densities": (1, .2, .1, .05, .02), "rounds": 4},
            "conv-4": {"batch": 60, "steps": 3, "densities": (1, .1, .02), "rounds": 4},
            "conv-6": {"batch": 60, "steps": 3, "densities": (1, .1, .02), "rounds": 4},
            "resnet-18": {"batch": 128, "steps": 3, "densities": (1, .1, .02), "rounds": 4},
            "vgg-19": {"batch": 64, "steps": 2, "densities": (1, .1, .02), "rounds": 4}}
DIGITS = "lenet-300-100",  # are trained on MNIST; the others on images with hardly a zero: noise stands for them
QUICK_ROUNDS = 2
TORCH_TURNS = 60  # at most, of a round

# How many times faster than PyTorch a step must be, and shall be at best. Dense steps are compared with
# PyTorch's step without masks, those of pruned networks with its step with masks.
TARGETS = {("lenet-300-100", 1): (3, 4), ("lenet-300-100", .21): (6, 9), ("lenet-300-100", .036): (18, 29),
           ("lenet-300-100", .01): (28, 45), ("conv-2", 1): (2, 2.7), ("conv-2", .1): (3.5, 5), ("conv-2", .02): (5.5, 8)}


class Times:
    """The shortest step of each subject of one network."""

    def __init__(self, network, isa, images):
        self.network, self.isa, self.images = network, isa, images
        self.batch, self.steps, self.densities, self.rounds = NETWORKS[network].values()
        self.ours = {}  # (density, kernels): the line with the shortest step
        self.torch = []  # PyTorch's steps without masks and with them
        if TorchSubject:
            # Dense masks cost the same at every density. A subject for each would only spread the repetitions, and the
            # unluckiest of them would flatter us.
            self.torch = [TorchSubject(network, self.batch), TorchSubject(network, self.batch, self.densities[-1])]

    def measure(self, program, quick):
        subjects = [f"{d}:{kernels}" for d in self.densities for kernels in ("auto", "dense")]
        for _ in range(QUICK_ROUNDS if quick else self.rounds):
            for line in json_lines([program, *self.images, self.network, self.batch, self.steps, *subjects], self.isa):
                key = line["density"], line["kernels"]
                if key not in self.ours or line["seconds"] < self.ours[key]["seconds"]:
                    self.ours[key] = line
            for _ in range(min(self.steps, TORCH_TURNS)):
                for subject in self.torch:
                    subject.take_turn(self.steps)

    def rows(self):
        """For each density what is recorded."""
        plain, masked = (subject.seconds for subject in self.torch) if self.torch else (None, None)
        for density in self.densities:
            line = self.ours[density, "auto"]
            rival = plain if density == 1 else masked
            yield {**line, "images": self.images[1] if self.images else "noise", "over_dense": line["seconds"] / self.ours[density, "dense"]["seconds"],
                   "pytorch_seconds": plain, "pytorch_masked_seconds": masked,
                   "times_pytorch": ratio(plain, line["seconds"]), "times_pytorch_masked": ratio(masked, line["seconds"]),
                   "times_rival": ratio(rival, line["seconds"])}


def digit_images(options):
    """The arguments of bench_network: MNIST's digits, or generated ones, or noise."""
    data = options.data or os.environ.get("SWEEPSTAKE_DATA")
    if options.noise:
        return []
    return ["--images", "mnist", "--data", data] if data else ["--images", "digits"]


def print_row(table, row):
    must, aim = TARGETS.get((row["network"], row["density"]), (None, None))
    table.row(row["network"], row["isa"], row["density"], 1e3 * row["seconds"], row["batch"] / row["seconds"],
              1e-9 * row["operations"] / row["seconds"], row["over_dense"],
              *(1e3 * row[key] if row[key] else None for key in ("pytorch_seconds", "pytorch_masked_seconds")),
              row["times_pytorch"], row["times_pytorch_masked"], must, aim)


def judge(report, rows):
    """How many of the targets the rows meet."""
    judged = [(row["times_rival"], *TARGETS[row["network"], row["density"]]) for row in rows
              if (row["network"], row["density"]) in TARGETS and row["times_rival"]]
    if not judged:
        return
    must, aim = sum(times >= least for times, least, _ in judged), sum(times >= best for times, _, best in judged)
    print(f"\ntimes PyTorch's step (without masks at density 1, with masks below): {must} of {len(judged)} reach `must`, "
          f"{aim} reach `aim`")
    report.record("network targets", isa=rows[0]["isa"], judged=len(judged), must=must, aim=aim)


def run(report, options):
    program = built("tests/bench/bench_network")
    if not TorchSubject:
        print("PyTorch is not installed for this Python: its columns stay empty")
    digits = digit_images(options)
    print(f"batches of {' and '.join(DIGITS)}: {digits[1] if digits else 'noise'}; of the others: noise")
    table = Table(("network", ""), ("kernels", ""), ("density", "g"), ("ms", ".3f"), ("images/s", ".0f"), ("GFLOP/s", ".1f"),
                  ("/dense", ".2f"), ("PyTorch ms", ".3f"), ("masked ms", ".3f"), ("x PyTorch", ".2f"), ("x masked", ".2f"),
                  ("must", "g"), ("aim", "g"))
    by_isa = {isa: [] for isa in options.isa}
    for network in options.network or NETWORKS:
        for isa in options.isa:
            times = Times(network, isa, digits if network in DIGITS else [])
            times.measure(program, options.quick)
            for row in times.rows():
                print_row(table, row)
                report.record("network", **row)
                by_isa[isa].append(row)
    for rows in by_isa.values():
        judge(report, rows)
