"""Trajectory parity with PyTorch: from the same initial weights, on the same whole-set batches, 20 iterations of each
recipe's optimiser end in the same parameters, batch-norm statistics included.

The initial weights are those that the store kept. A batch is the whole training set, so that order does not matter.
The truth is PyTorch in float64. Two float32 trainings part company by themselves: Adam turns the rounding of a gradient
near zero into a whole step, and a relu that switches side changes the path. So each tensor must be within 1e-3 of the
truth (L2 norm of the difference over L2 norm), or no further from it than OWN_SHARE times PyTorch's own float32.
Warmup keeps the first steps small enough for that to be a test of the mathematics.
Needs Debian's python3-torch; skipped where that is missing. Run with /usr/bin/python3."""
import gzip
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "notebooks"))
import numpy
import sweep
import sweepstake

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

ITERATIONS, WARMUP, TOLERANCE, OWN_SHARE = 20, 200, 1e-3, 4


def smooth_images(count, channels, size, classes=10, seed=3):
    """Learnable images: a smooth pattern a class, plus noise. uint8 [count][channels][size][size], labels [count]."""
    draw = numpy.random.default_rng(seed)
    patterns = draw.normal(size=(classes, channels, 4, 4)).repeat(size // 4, 2).repeat(size // 4, 3)
    labels = numpy.arange(count) % classes
    images = 128 + 40 * patterns[labels] + 25 * draw.normal(size=(count, channels, size, size))
    return images.clip(0, 255).astype(numpy.uint8), labels.astype(numpy.uint8)


# --- networks, by the store's parameter names ---


def conv(p, name, x, stride=1):
    w = p[name + ".weight"]
    return F.conv2d(x, w, p.get(name + ".bias"), stride=stride, padding=w.shape[-1] // 2)


def norm(p, name, x):
    return F.batch_norm(x, p[name + ".running_mean"], p[name + ".running_var"], p[name + ".weight"], p[name + ".bias"],
                        training=True, momentum=0.1, eps=1e-5)


def fully_connected(p, x):
    x = x.flatten(1)
    count = sum(name.startswith("fc") and name.endswith(".weight") for name in p)
    for i in range(1, count + 1):
        x = F.linear(x, p[f"fc{i}.weight"], p[f"fc{i}.bias"])
        x = F.relu(x) if i < count else x
    return x


def conv_network(p, x):
    count = sum(name.startswith("conv") and name.endswith(".weight") for name in p)
    for i in range(1, count + 1):
        x = F.relu(conv(p, f"conv{i}", x))
        x = F.max_pool2d(x, 2) if i % 2 == 0 else x
    return fully_connected(p, x)


def resnet(p, x):
    x = F.relu(norm(p, "bn1", conv(p, "conv1", x)))
    shortcuts, number = 0, 1
    for stage in range(3):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            y = F.relu(norm(p, f"bn{number + 1}", conv(p, f"conv{number + 1}", x, stride)))
            y = norm(p, f"bn{number + 2}", conv(p, f"conv{number + 2}", y))
            if stride == 2:
                shortcuts += 1
                x = norm(p, f"shortcut_bn{shortcuts}", conv(p, f"shortcut{shortcuts}", x, stride))
            x = F.relu(x + y)
            number += 2
    return F.linear(x.mean((2, 3)), p["fc1.weight"], p["fc1.bias"])


RECIPES = {
    # recipe: (network, training examples, channels, size, optimiser)
    "lenet-300-100": (fully_connected, 120, 1, 28, lambda p: torch.optim.Adam(p, 1.2e-3)),
    "conv-2": (conv_network, 60, 3, 32, lambda p: torch.optim.Adam(p, 2e-4)),
    "conv-6": (conv_network, 60, 3, 32, lambda p: torch.optim.Adam(p, 3e-4)),
    "resnet-18": (resnet, 32, 3, 32, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-4)),
}


def train_in_torch(recipe, init, images, labels):
    network, _, _, _, optimizer = RECIPES[recipe]
    p = {name: torch.from_numpy(array.copy()) for name, array in init.items()}
    trained = [tensor.requires_grad_() for name, tensor in p.items() if "running" not in name]
    optimizer = optimizer(trained)
    x, y = torch.from_numpy(images), torch.from_numpy(labels.astype(numpy.int64))
    base = optimizer.param_groups[0]["lr"]
    for iteration in range(ITERATIONS):
        optimizer.param_groups[0]["lr"] = base * min(1, iteration / WARMUP)
        optimizer.zero_grad()
        F.cross_entropy(network(p, x), y).backward()
        optimizer.step()
    return {name: tensor.detach().numpy() for name, tensor in p.items()}


@unittest.skipIf(torch is None, "python3-torch is not installed")
class Parity(sweep.SweepTest):
    def setUp(self):
        super().setUp()
        torch.set_num_threads(1)

    def write_idx(self, images, labels):
        for part in ("train", "t10k"):
            count, _, rows, columns = images.shape
            self.write(f"data/mine/{part}-images-idx3-ubyte", struct.pack(">IIII", 2051, count, rows, columns) + images.tobytes())
            self.write(f"data/mine/{part}-labels-idx1-ubyte.gz",
                       gzip.compress(struct.pack(">II", 2049, count) + labels.tobytes()))
        return "mine"

    def write_cifar(self, images, labels):
        records = b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels))
        self.write("data/cifar10/data_batch_1.bin", records)
        self.write("data/cifar10/test_batch.bin", records)
        return "cifar10"

    def compare(self, recipe):
        _, count, channels, size, _ = RECIPES[recipe]
        images, labels = smooth_images(count, channels, size)
        name = (self.write_idx if channels == 1 else self.write_cifar)(images, labels)
        # The recipes' preprocessing, and nothing drawn at random.
        augment = "" if channels == 1 else "augment: none, "
        self.write("parity.yaml", f"recipe: {recipe}\n"
                   f"dataset: {{name: {name}, {augment}validation: 0}}\n"
                   f"train: {{iterations: {ITERATIONS}, batch: {count}, warmup: {WARMUP}, schedule: {{name: constant, drops: []}}, "
                   f"evaluate: {{every: {ITERATIONS}, at: []}}}}\n"
                   "prune: {rounds: 0}\nseed: 1\n")
        self.sweepstake("run", "parity.yaml", "--data", "data", "--workers", 1, "--store", "s.h5", check=0)
        store = sweepstake.open(self.folder / "s.h5")
        x = images.astype(numpy.float32) / 255
        if store.experiments.get("dataset.preprocessing", ["unit"])[0] == "standardize":
            x = ((x - x.mean((0, 2, 3), keepdims=True, dtype=float)) / x.std((0, 2, 3), keepdims=True, dtype=float)).astype(numpy.float32)
        init, ours = store.weights(0, "init"), store.weights(0, "final")
        single = train_in_torch(recipe, init, x, labels)
        truth = train_in_torch(recipe, {name: array.astype(float) for name, array in init.items()}, x.astype(float), labels)
        self.assertEqual(set(ours), set(truth))
        for name, tensor in truth.items():
            size = numpy.linalg.norm(tensor)
            bound = max(TOLERANCE, OWN_SHARE * numpy.linalg.norm(single[name] - tensor) / size)
            self.assertLess(numpy.linalg.norm(ours[name] - tensor) / size, bound, f"{recipe} {name}")
            self.assertTrue((ours[name] != init[name]).any(), f"{recipe} {name} was not trained")

    def test_lenet(self):
        self.compare("lenet-300-100")

    def test_conv_2(self):
        self.compare("conv-2")

    def test_conv_6(self):
        self.compare("conv-6")

    def test_resnet_18(self):
        self.compare("resnet-18")


if __name__ == "__main__":
    unittest.main(verbosity=2)
