"""Section `evaluation`: the rates of training steps and of evaluations of LeNet-300-100 with each set of kernels, and
the evaluations' share of a run's time when 5,000 examples are evaluated every 100 iterations, as in the paper."""
import subprocess

from common import Table, built, json_lines

VALIDATION_EXAMPLES, ITERATIONS_BETWEEN = 5000, 100
DENSITIES = 1, .21, .036
ROUNDS, QUICK_ROUNDS = 3, 1


def shortest(program, isa, rounds):
    """{density: its line with the shortest step and evaluation}."""
    best = {}
    for _ in range(rounds):
        for line in json_lines([program, "--evaluation", "lenet-300-100", 60, 200, *DENSITIES], isa):
            kept = best.setdefault(line["density"], line)
            for key in ("seconds", "evaluation_seconds"):
                kept[key] = min(kept[key], line[key])
    return best


def evaluation_share(line):
    evaluation = line["evaluation_seconds"] * VALIDATION_EXAMPLES / line["evaluation_examples"]
    return evaluation / (evaluation + ITERATIONS_BETWEEN * line["seconds"])


def run(report, options):
    program = built("tests/bench/bench_network")
    table = Table(("kernels", ""), ("density", "g"), ("step ms", ".3f"), ("steps/s", ".0f"), ("GFLOP/s", ".1f"),
                  ("evaluation GFLOP/s", ".1f"), ("of time", ".1%"))
    for isa in options.isa if options.isa != [None] else ["avx512", "avx2", "portable"]:
        try:
            lines = shortest(program, isa, QUICK_ROUNDS if options.quick else ROUNDS)
        except subprocess.CalledProcessError:
            continue  # the program has said that this CPU lacks the instruction set
        for density, line in lines.items():
            share = evaluation_share(line)
            table.row(line["isa"], density, 1e3 * line["seconds"], 1 / line["seconds"],
                      1e-9 * line["operations"] / line["seconds"],
                      1e-9 * line["evaluation_operations"] / line["evaluation_seconds"], share)
            report.record("evaluation", **line, evaluation_share=share)
