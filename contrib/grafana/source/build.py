#!/usr/bin/env python3
"""Writes the dashboards to contrib/grafana/dashboards; with --check, only says whether they are as they would be written."""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import account
import fleet
import gateway

TARGET = Path(__file__).resolve().parent.parent / "dashboards"


def main():
    check, stale = "--check" in sys.argv[1:], []
    for module in (fleet, account, gateway):
        path = TARGET / f"{module.UID}.json"
        text = json.dumps(module.build(), indent=2, ensure_ascii=False) + "\n"
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(path.name)
        if not check:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"{', '.join(stale)}: not as written from contrib/grafana/source; run {Path(__file__).name}")


if __name__ == "__main__":
    main()
