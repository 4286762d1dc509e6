#!/usr/bin/python3
"""The paper's LeNet grid in PyTorch with dense masks, one thread, to compare tests/bench/sweep.py with.

Iterative magnitude pruning layer by layer, 20% a round (output 10%), each level trained with Adam from the same initial
weights in the same order of batches; loss and accuracy on 5,000 validation examples at the beginning and every 100
iterations; test and training sets at the earliest minimum of the validation loss and at the end. As sweepstake runs it.
MNIST where --data has it, else noise of its shape. Prints a line of JSON with the seconds of each level, by the clock."""
import argparse
import gzip
import json
import math
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional

from torch_networks import lenet, prunable_weights, train_step

BATCH, LEARNING_RATE, EVALUATE_EVERY, VALIDATION = 60, 1.2e-3, 100, 5000
RATE, OUTPUT_RATE = .2, .1


def idx_file(folder, name):
    """The bytes of an IDX file as a tensor of its shape."""
    path = folder / name
    data = path.read_bytes() if path.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
    return torch.frombuffer(bytearray(data[4 + 4 * len(shape):]), dtype=torch.uint8).reshape(shape)


def examples(folder, part, count):
    """Images [n][1][28][28] and labels of "train" or "t10k"; without a folder `count` images of noise."""
    if folder is None:
        return torch.rand(count, 1, 28, 28), torch.randint(10, (count,))
    images = idx_file(folder, f"{part}-images-idx3-ubyte").unsqueeze(1) / 255.0
    return images, idx_file(folder, f"{part}-labels-idx1-ubyte").long()


def initial_network():
    model = lenet()
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def copied_state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def evaluate(model, inputs, labels, batch=VALIDATION):
    """Mean loss and accuracy."""
    loss = correct = 0
    for x, y in zip(inputs.split(batch), labels.split(batch)):
        logits = model(x)
        loss += functional.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(1) == y).sum().item()
    return loss / len(labels), correct / len(labels)


def batches(inputs, labels, iterations):
    """The same for each level: an order of its own for each epoch, whole batches only."""
    generator = torch.Generator().manual_seed(1)
    place, order = len(labels), None
    for _ in range(iterations):
        if place + BATCH > len(labels):
            place, order = 0, torch.randperm(len(labels), generator=generator)
        chosen = order[place:place + BATCH]
        place += BATCH
        yield inputs[chosen], labels[chosen]


def train_level(model, masked, data, iterations):
    """Trains to the end; returns the accuracy on the test set at early stop and at the end."""
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    least, at_least = evaluate(model, *data["validation"])[0], copied_state(model)
    for iteration, (inputs, labels) in enumerate(batches(*data["train"], iterations), 1):
        train_step(model, optimizer, masked, inputs, labels)
        if iteration % EVALUATE_EVERY == 0 or iteration == iterations:
            loss, _ = evaluate(model, *data["validation"])
            if loss < least:
                least, at_least = loss, copied_state(model)
    final = copied_state(model)
    accuracies = []
    for state in (at_least, final):
        model.load_state_dict(state)
        evaluate(model, *data["train"])
        accuracies.append(evaluate(model, *data["test"])[1])
    return accuracies


@torch.no_grad()
def prune(masked):
    """Each layer's smallest remaining magnitudes go; the masks change in place."""
    for weight, mask in masked:
        rate = OUTPUT_RATE if weight is masked[-1][0] else RATE
        gone = math.floor(rate * mask.sum().item() + .5)
        magnitudes = weight.abs().masked_fill(mask == 0, math.inf).flatten()
        mask.view(-1)[magnitudes.argsort()[:gone]] = 0


def rewind(model, initial, masked):
    model.load_state_dict(initial)
    with torch.no_grad():
        for weight, mask in masked:
            weight.mul_(mask)


def sweep(data, iterations, rounds):
    """For each level what remains of the weights, the accuracies and seconds."""
    model = initial_network()
    initial = copied_state(model)
    masked = [(weight, torch.ones_like(weight)) for weight in prunable_weights(model)]
    levels = []
    for level in range(rounds + 1):
        begin = time.monotonic()
        if level > 0:
            prune(masked)
            rewind(model, initial, masked)
        early_stop, final = train_level(model, masked, data, iterations)
        remaining = sum(mask.sum().item() for _, mask in masked) / sum(mask.numel() for _, mask in masked)
        levels.append({"remaining": remaining, "early_stop_accuracy": early_stop, "final_accuracy": final,
                       "seconds": time.monotonic() - begin})
    return levels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER", help="FOLDER/mnist has the four IDX files")
    parser.add_argument("--iterations", type=int, default=5000, metavar="N")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    options = parser.parse_args()
    torch.manual_seed(1)
    folder = options.data / "mnist" if options.data else None
    inputs, labels = examples(folder, "train", 60000)
    data = {"train": (inputs[VALIDATION:], labels[VALIDATION:]),
            "validation": (inputs[:VALIDATION], labels[:VALIDATION]), "test": examples(folder, "t10k", 10000)}
    levels = sweep(data, options.iterations, options.rounds)
    print(json.dumps({"iterations": options.iterations, "rounds": options.rounds, "data": "mnist" if folder else "noise",
                      "levels": levels}))


if __name__ == "__main__":
    main()
