#!/usr/bin/env python3
"""Writes what benchmarks have measured into the tables of bench/figures; scripts/bench --write calls it.

    bench/write_figures.py RESULT.json...     what PROGRAM --benchmark_out=PROGRAM.json has written

A table stands between `<!-- bench: PROGRAM -->` and `<!-- end -->`, under a line that says where and when it was measured. The
column "benchmark" names the row's benchmark. A column "CPU" or "time" is the time of one round, any other the counter of its
name. Rows without a benchmark, and tables of programs that did not run, stay as they are."""

import json
import pathlib
import re
import sys

FIGURES = pathlib.Path(__file__).resolve().parent / "figures"
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
BLOCK = re.compile(r"(?s)(<!-- bench: (\w+) -->\n)(.*?)(<!-- end -->)")


def scaled(value, units):
    """`value` in the largest of (size, name) that is not larger than it, with three digits."""
    size, name = max((unit for unit in units if unit[0] <= value), default=units[0])
    value /= size
    return f"{value:,.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {name}".rstrip()


def shown(result, column):
    if column in ("CPU", "time"):
        value = result["cpu_time" if column == "CPU" else "real_time"] * NANOSECONDS[result["time_unit"]]
        return scaled(value, [(1, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")])
    value = result[column]
    if "bytes" in column:
        return scaled(value, [(1, "B"), (1e3, "KB"), (1e6, "MB"), (1e9, "GB")])
    if value >= 1e6:
        return f"{value / 1e6:,.3g} million" if value < 1e9 else f"{value / 1e6:,.0f} million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def filled(row, columns, results):
    cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
    name = cells[columns.index("benchmark")].strip("`")
    if not name:
        return row
    for i in range(columns.index("benchmark") + 1, len(columns)):
        cells[i] = shown(results[name], columns[i]) if columns[i] in results[name] or columns[i] in ("CPU", "time") else ""
    return "| " + " | ".join(cells) + " |"


def rewritten(text, measured):
    def block(found):
        begin, program, old, end = found.groups()
        if program not in measured:
            return found[0]
        machine, results = measured[program]
        rows = [line for line in old.splitlines() if line.startswith("|")]
        columns = [cell.strip() for cell in rows[0].strip("|").split("|")]
        rows[2:] = [filled(row, columns, results) for row in rows[2:]]
        return begin + machine + "\n\n" + "\n".join(rows) + "\n" + end
    return BLOCK.sub(block, text)


def read(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    context = result["context"]
    machine = (f"Measured {context['date'][:10]}: {context['num_cpus']} cores at {context['mhz_per_cpu'] / 1000:.1f} GHz, "
               f"load {context['load_avg'][0]:.1f} when it began.")
    # Of several repetitions the median counts; a single one has no aggregates. Options such as /real_time are no part of a name.
    runs = [run for run in result["benchmarks"] if run.get("aggregate_name", "median") == "median"]
    return machine, {re.sub(r"/(real_time|iterations:\d+|repeats:\d+)", "", run["run_name"]): run for run in runs}


def main(paths):
    measured = {path.stem: read(path) for path in map(pathlib.Path, paths)}
    for page in sorted(FIGURES.glob("*.md")):
        old = page.read_text(encoding="utf-8")
        new = rewritten(old, measured)
        if new != old:
            page.write_text(new, encoding="utf-8")
            print(f"written: {page}")


if __name__ == "__main__":
    main(sys.argv[1:])
