"""Section `kernels`: times and rates of the kernels, as shares of the CPU's peak and over other libraries' times."""
from common import built, json_lines


def rivals(row):
    """Our time over each library's, where it was measured."""
    return "  ".join(f"{key[len('over_'):]} {value:.2f}" for key, value in row.items() if key.startswith("over_"))


def run(report, options):
    program = built("tests/bench/bench_kernels")
    kernel = None
    for isa in options.isa:
        for row in json_lines([program, "--json", *(["--isa", isa] if isa else [])]):
            if row["kernel"] == "multiply-adds":
                print(f"multiply-adds with {row['isa']}, GFLOP/s: {row['registers']} in registers, {row['first_level']} with "
                      f"a load each from the first-level cache, {row['second_level']} from the second", flush=True)
                report.record("peak", **row)
                continue
            if row["kernel"] != kernel:
                kernel = row["kernel"]
                print(f"\n{kernel:24} {'pass':17} {'kernels':9} {'ms':>9} {'GFLOP/s':>8} {'of peak':>8} {'of roof':>8}  time over")
            print(f"{row['shape']:24} {row['pass']:17} {row['isa']:9} {1e3 * row['seconds']:9.3f} {row['gflops']:8.1f} "
                  f"{row['share_of_peak']:8.0%} {row['share_of_roof']:8.0%}  {rivals(row)}", flush=True)
            report.record("kernel", **row)
