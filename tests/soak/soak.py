"""Runs every long test in turn, and writes a report: report.md, CSV files and plots in the folder given.

    soak.py MINUTES FOLDER [PART]    of histories, kills, virtual, real; all of them share the time unless one is named

Needs the binaries of the release build: SQLBAK_GATEWAY_BIN and SQLBAK_GATEWAY_SOURCE, as tests/system does."""

import csv
import os
import pathlib
import re
import subprocess
import sys
import time

from real_soak import RealSoak
from report import growth, plot, table

BIN = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"])
SOURCE = pathlib.Path(os.environ["SQLBAK_GATEWAY_SOURCE"])
MIB = 1 << 20

# Virtual account hours (100 accounts for 20 hours are 2000) that two slow cores do in a minute.
ACCOUNT_HOURS_A_MINUTE = 2000
VIRTUAL_HOURS = 24  # at least: the first quarter has to be longer than the warm-up


def say(text):
    print(f"== {text} ({time.strftime('%H:%M:%S')})", flush=True)


def run(command, log, environment, folder=None):
    """Returns whether the command succeeded. Its output goes to the log."""
    with open(log, "a", encoding="utf-8") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment},
                              cwd=folder, check=False).returncode == 0


def repeated(seconds, one):
    """Calls one(index) while there is time for another. Returns how many succeeded, and how many there were."""
    began, done, good = time.monotonic(), 0, 0
    while done == 0 or time.monotonic() + (time.monotonic() - began) / done < began + seconds:
        good += one(done)
        done += 1
    return good, done


def histories(seconds, out):
    """Random histories of an API, held against the truth."""
    each = 400
    good, done = repeated(seconds, lambda index: run(
        [BIN / "sqlbak_collection_equality_test", "--gtest_filter=*RememberingNeverShows*"], out / "histories.log",
        {"HISTORIES": str(each), "FIRST_HISTORY": str(1000 + index * each)}))
    return good == done, f"{done * each} random histories, each collection held against the simulator's truth"


def kills(seconds, out):
    """kill -9 of a writer and of the program, at random moments."""
    writer, program = 100, 10

    def one(_):
        return run([BIN / "history_durability_test"], out / "kills.log", {"KILLS": str(writer)}) and run(
            [sys.executable, "-B", "-m", "unittest", "history_test.Restarts.test_a_kill_at_any_moment_keeps_what_was_committed"],
            out / "kills.log", {"KILLS": str(program)}, SOURCE / "tests" / "system")
    good, done = repeated(seconds, one)
    return good == done, f"{done * writer} kills of a history's writer, {done * program} of the program"


def virtual(minutes, out):
    """A virtual day or more, with up to 500 accounts, as far as there is time."""
    affordable = minutes * ACCOUNT_HOURS_A_MINUTE
    accounts = min(500, max(60, round(affordable / VIRTUAL_HOURS)))
    hours = max(VIRTUAL_HOURS, round(affordable / accounts))
    began = time.monotonic()
    good = run([BIN / "soak_test", "--gtest_filter=VirtualSoak.*"], out / "virtual.log",
               {"SOAK_ACCOUNTS": str(accounts), "SOAK_HOURS": str(hours), "SOAK_TABLE": str(out / "virtual.csv")})
    took = time.monotonic() - began
    with open(out / "virtual.csv", newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    if not rows:
        return False, "it ended within its first hour: virtual.log says why"
    last = rows[-1]
    text = (f"{last['hours']:.0f} virtual hours of {accounts} accounts in {took:.0f} s: {last['answers']:.0f} answers checked, "
            f"{last['collections']:.0f} collections with {last['api_requests']:.0f} API requests, "
            f"{last['truths']:.0f} collections held against the simulator's truth, {last['faults']:.0f} troubles")
    x = [row["hours"] for row in rows]
    plots = {
        "virtual-heap": plot(f"Heap of the program, MiB ({accounts} accounts)", "virtual hours", x,
                             {"heap": [row["heap"] / MIB for row in rows]}),
        "virtual-history": plot("History file, MiB", "virtual hours", x,
                                {"history": [row["history"] / MIB for row in rows]}),
        "virtual-series": plot("Series of all answers, thousands", "virtual hours", x,
                               {"series": [row["series"] / 1000 for row in rows]}),
    }
    flat = [(name, unit, *growth([row[column] / scale for row in rows])) for name, unit, column, scale in (
        ("heap", "MiB", "heap", MIB), ("history", "MiB", "history", MIB), ("/metrics", "KiB", "own_metrics", 1024))]
    return good, text, plots, flat


def real(minutes, out):
    soak = RealSoak(minutes, 500, "small").run()
    with open(out / "real.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, soak.samples[0].keys())
        writer.writeheader()
        writer.writerows(soak.samples)
    (out / "real.log").write_text("\n".join(soak.wrong) + "\n", encoding="utf-8")
    middle, late = soak.seconds[len(soak.seconds) // 2], soak.seconds[len(soak.seconds) * 99 // 100]
    text = (f"{minutes:.1f} minutes of the real program with 500 small accounts: {soak.answers} answers "
            f"({soak.bytes / MIB:.0f} MiB), half of them within {middle * 1000:.0f} ms and 99 % within {late:.1f} s "
            f"(5 s is their patience), {soak.collections:.0f} collections with {soak.api_requests:.0f} API requests, "
            f"{soak.counts['faults']} faults, {soak.counts['reloads']} reloads; "
            f"all initial collections took {soak.cold['seconds']:.0f} s and {soak.cold['cpu_seconds']:.1f} s of CPU, "
            f"and left {soak.cold['rss_mib']:.0f} MiB RSS")
    x = [sample["seconds"] / 60 for sample in soak.samples]

    def line(name):
        return [sample[name] for sample in soak.samples]
    plots = {
        "real-memory": plot("Resident memory, MiB (500 small accounts)", "minutes", x, {"RSS": line("rss_mib")}),
        "real-descriptors": plot("Descriptors and threads", "minutes", x,
                                 {"descriptors": line("descriptors"), "threads": line("threads")}),
        "real-history": plot("History file and its log, MiB", "minutes", x, {"history": line("history_mib")}),
    }
    flat = [(name, unit, *growth(line(column))) for name, unit, column in (
        ("RSS", "MiB", "rss_mib"), ("descriptors", "", "descriptors"), ("threads", "", "threads"),
        ("history", "MiB", "history_mib"))]
    return not soak.wrong, text, plots, flat


# What shares the time, and how.
PARTS = {
    "histories": (0.1, lambda minutes, out: histories(minutes * 60, out)),
    "kills": (0.1, lambda minutes, out: kills(minutes * 60, out)),
    "virtual": (0.35, virtual),
    "real": (0.45, real),
}


def main():
    minutes, out = float(sys.argv[1]), pathlib.Path(sys.argv[2])
    unknown = set(sys.argv[3:]) - PARTS.keys()
    if unknown:
        sys.exit(f"soak: no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    parts = {name: (1, PARTS[name][1]) for name in sys.argv[3:]} or PARTS
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        if re.fullmatch(r"(report\.md|.*\.(log|csv|svg))", old.name):
            old.unlink()
    results, plots, flats = [], {}, []
    for name, (share, part) in parts.items():
        say(name)
        good, text, *drawn = part(minutes * share, out)
        print(("ok: " if good else "FAILED: ") + text, flush=True)
        results.append((name, "ok" if good else "**failed**", text))
        if len(drawn) == 2:
            plots.update(drawn[0])
            flats += [(name, *row) for row in drawn[1]]
    report = "# Soak\n\n" + table(("part", "result", "what was done"), results)
    report += "\nFlat is what is no higher in the last quarter than in the second; the first is the warm-up.\n\n"
    report += table(("part", "what", "unit", "second quarter", "last quarter"),
                    [(*row[:3], f"{row[3]:.1f}", f"{row[4]:.1f}") for row in flats])
    for name, svg in plots.items():
        (out / f"{name}.svg").write_text(svg, encoding="utf-8")
        report += f"\n![{name}]({name}.svg)\n"
    (out / "report.md").write_text(report, encoding="utf-8")
    print(f"the report is {out / 'report.md'}")
    return 0 if all(result == "ok" for _, result, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
