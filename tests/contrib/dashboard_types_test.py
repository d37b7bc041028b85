"""Holds the dashboards to Grafana's own types with tsc. Installs these below contrib/grafana/checks where they are missing."""
import subprocess
import sys

import catalogue

FOLDER = catalogue.ROOT / "contrib/grafana/checks"
if not (FOLDER / "node_modules/typescript").exists():
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)
sys.exit(subprocess.run(["node", "check.mjs"], cwd=FOLDER, check=False).returncode)
