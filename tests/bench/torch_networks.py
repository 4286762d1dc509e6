"""The paper's networks and their training steps in PyTorch, as scripts of the field do it: masks are dense tensors
that gradients and weights are multiplied with. Importing this needs PyTorch."""
import time

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)


def lenet():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(inplace=True), nn.Linear(300, 100),
                         nn.ReLU(inplace=True), nn.Linear(100, 10))


def conv_net(widths):
    """Conv-2, -4 and -6: two convolutions of each width before a max pooling, then three layers."""
    layers, channels, size = [], 3, 32
    for width in widths:
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
        size //= 2
    layers += [nn.Flatten(), nn.Linear(channels * size * size, 256), nn.ReLU(inplace=True), nn.Linear(256, 256),
               nn.ReLU(inplace=True), nn.Linear(256, 10)]
    return nn.Sequential(*layers)


def vgg():
    layers, channels = [], 3
    for stage, (count, width) in enumerate([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)]):
        layers += [nn.MaxPool2d(2)] if stage else []
        for _ in range(count):
            layers += [*normed(channels, width, 3, 1), nn.ReLU(inplace=True)]
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def normed(inputs, outputs, kernel, stride):
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs)]


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(*normed(inputs, outputs, 3, stride), nn.ReLU(inplace=True),
                                  *normed(outputs, outputs, 3, 1))
        self.shortcut = nn.Sequential(*(normed(inputs, outputs, 1, stride) if inputs != outputs else []))

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x))


def resnet():
    layers, channels = [*normed(3, 16, 3, 1), nn.ReLU(inplace=True)], 16
    for width in (16, 32, 64):
        for _ in range(3):
            layers.append(ResidualBlock(channels, width, 2 if width != channels else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETWORKS = {"lenet-300-100": lenet, "conv-2": lambda: conv_net([64]), "conv-4": lambda: conv_net([64, 128]),
            "conv-6": lambda: conv_net([64, 128, 256]), "resnet-18": resnet, "vgg-19": vgg}


def optimizer_for(network, model):
    """The recipe's."""
    if network in ("resnet-18", "vgg-19"):
        return torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, weight_decay=1e-4)
    return torch.optim.Adam(model.parameters(), 1e-4)


def prunable_weights(model):
    """Weights of all layers but those in shortcuts; the output layer is the last."""
    return [weight for name, weight in model.named_parameters() if weight.dim() > 1 and "shortcut" not in name]


def train_step(model, optimizer, masked, inputs, labels):
    """`masked`: pairs of a weight and its mask."""
    optimizer.zero_grad()
    functional.cross_entropy(model(inputs), labels).backward()
    for weight, mask in masked:
        weight.grad.mul_(mask)
    optimizer.step()
    with torch.no_grad():
        for weight, mask in masked:
            weight.mul_(mask)


class Subject:
    """One network whose steps are timed. `density` None: without masks."""

    def __init__(self, network, batch, density=None):
        self.model = NETWORKS[network]()
        self.optimizer = optimizer_for(network, self.model)
        self.masked = []
        if density is not None:
            self.masked = [(w, (torch.rand_like(w) < density).float()) for w in prunable_weights(self.model)]
            with torch.no_grad():
                for weight, mask in self.masked:
                    weight.mul_(mask)
        shape = (1, 28, 28) if network.startswith("lenet") else (3, 32, 32)
        self.inputs, self.labels = torch.randn(batch, *shape), torch.randint(10, (batch,))
        self.seconds = None

    def take_turn(self, steps, least_seconds=0.01):
        """`steps` steps, or as many as fit into a turn of bench_network; keeps the shortest in `seconds`."""
        began = time.thread_time()
        for _ in range(steps):
            begin = time.thread_time()
            train_step(self.model, self.optimizer, self.masked, self.inputs, self.labels)
            end = time.thread_time()
            self.seconds = min(self.seconds or end - begin, end - begin)
            if end - began > least_seconds:
                break
