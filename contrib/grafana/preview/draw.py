#!/usr/bin/env python3
"""Draws the dashboards on demo data with Grafana's own components, in headless Chromium.

    npm ci --legacy-peer-deps --ignore-scripts && npx vite build     (once, about 500 MB)
    draw.py OUTPUT_FOLDER [--scenario NAME]... [--dashboard UID]... [--theme NAME]... [--width PIXELS]...

Without options: all scenarios, the three dashboards, dark and light, 1280 and 1600 wide. Beside each picture lies a .json
that says what every panel holds. Needs prometheus, promtool, chromium and node; everything runs on loopback in a
temporary folder and is gone afterwards. Exit code 1 when a panel has an error, or is empty where it should not be.
"""
import argparse
import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
DASHBOARDS = ["sqlbak-fleet", "sqlbak-account", "sqlbak-gateway"]
SCENARIOS = {  # seconds of history, and the account to look at
    "healthy": (7 * 86400, "acme"), "bad-day": (7 * 86400, "initech"), "many": (6 * 3600, "customer-009"),
    "published": (7 * 86400, "sqlbak-exporter:8000"), "empty": (6 * 3600, "acme"),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def prometheus(scenario, begin, end):
    folder = Path(tempfile.mkdtemp(prefix="sqlbak-preview-"))
    server = None
    try:
        with open(folder / "demo.om", "w") as out:
            subprocess.run([sys.executable, HERE / "demo.py", scenario, str(begin), str(end)], stdout=out, check=True)
        if scenario != "empty":
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=192h", "-q", folder / "demo.om", folder / "data"], check=True,
                           stdout=subprocess.DEVNULL)
        (folder / "demo.om").unlink()
        (folder / "prometheus.yml").write_text("global: {}\n")
        port = free_port()
        server = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--storage.tsdb.retention.time=10y", f"--web.listen-address=127.0.0.1:{port}", "--query.lookback-delta=31m",
             "--web.cors.origin=.*", "--log.level=error"])
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                with urllib.request.urlopen(url + "/-/ready", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        if server:
            server.terminate()
            server.wait(20)
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--dashboard", action="append", choices=DASHBOARDS)
    parser.add_argument("--theme", action="append", choices=["dark", "light"])
    parser.add_argument("--width", action="append", type=int)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    (HERE / "dist").mkdir(exist_ok=True)
    for uid in DASHBOARDS:
        shutil.copy(HERE.parent / "dashboards" / f"{uid}.json", HERE / "dist" / f"{uid}.json")
    end = int(time.time()) // 1800 * 1800
    bad = 0
    for scenario in chosen.scenario or SCENARIOS:
        history, account = SCENARIOS[scenario]
        with prometheus(scenario, end - history, end) as url:
            for uid in chosen.dashboard or DASHBOARDS:
                begin = end - min(history, 86400) if uid == "sqlbak-gateway" else end - history
                for theme in chosen.theme or ["dark", "light"]:
                    for width in chosen.width or [1280, 1600]:
                        picture = (chosen.output / f"{scenario}-{uid.removeprefix('sqlbak-')}-{theme}-{width}.png").resolve()
                        variables = [f"var-account={account}"] if uid == "sqlbak-account" else []
                        subprocess.run(["node", "shot.mjs", picture, f"dashboard=/{uid}.json", f"ds={url}", f"from={begin * 1000}",
                                        f"to={end * 1000}", f"theme={theme}", f"w={width}", *variables], cwd=HERE, check=True)
                        bad += len(problems(json.loads(picture.with_suffix(".json").read_text()), scenario))
    sys.exit(1 if bad else 0)


def problems(report, scenario):
    found = [f"{p['id']} {p['title']}: {p['error']}" for p in report["panels"] if p.get("error")]
    found += [f"not drawn: {what}" for what in report["unsupported"]]
    for line in found:
        print("  PROBLEM", scenario, line)
    return found


if __name__ == "__main__":
    main()
