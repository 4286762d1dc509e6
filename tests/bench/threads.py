"""Section `threads`: what two threads gain over one, step by step, by the clock: other work on the machine disturbs it."""
from common import Table, built, json_lines

NETWORKS = {"conv-2": (60, 20), "conv-6": (60, 10), "resnet-18": (128, 10), "vgg-19": (64, 4)}
DENSITIES = 1, .1
THREADS = 1, 2
ROUNDS, QUICK_ROUNDS = 3, 1


def shortest(program, network, rounds):
    """{(threads, density): seconds of the shortest step}."""
    batch, steps = NETWORKS[network]
    best = {}
    for _ in range(rounds):
        for threads in THREADS:
            for line in json_lines([program, "--threads", threads, network, batch, steps, *DENSITIES]):
                key = threads, line["density"]
                best[key] = min(best.get(key, line["seconds"]), line["seconds"])
    return best


def run(report, options):
    program = built("tests/bench/bench_network")
    table = Table(("network", ""), ("density", "g"), *((f"ms on {threads}", ".1f") for threads in THREADS),
                  ("times faster", ".2f"))
    for network in NETWORKS:
        best = shortest(program, network, QUICK_ROUNDS if options.quick else ROUNDS)
        for density in DENSITIES:
            seconds = [best[threads, density] for threads in THREADS]
            table.row(network, density, *(1e3 * s for s in seconds), seconds[0] / seconds[-1])
            report.record("threads", network=network, density=density, seconds=dict(zip(THREADS, seconds)))
