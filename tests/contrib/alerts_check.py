"""Checks of the rule files beyond promtool's. Each function returns its findings as text."""
import re
from pathlib import Path

import catalogue
import promql

ALERTS = catalogue.ROOT / "contrib/alerts"
RUNBOOKS = catalogue.ROOT / "docs/runbooks"
PROMTOOL_TESTS = Path(__file__).resolve().parent / "alerts"
RULE_FILES = {"sqlbak-gateway.rules.yml": ["backups", "collection", "gateway", "unwatched"],
              "sqlbak-published-names.rules.yml": ["published-names"]}
SEVERITIES = ("critical", "warning", "info")


def rules(text):
    """The rules of a file of ours, as dictionaries; only the YAML that these files use."""
    made = []
    for block in re.split(r"\n +- (?=alert:|record:)", text)[1:]:
        block = re.split(r"\n  - name:|\n\n +#", block)[0]
        rule = {"kind": block.split(":")[0], "name": re.match(r"\w+: (\S+)", block)[1]}
        inline = re.search(r"\n +expr: (?!\|)(.+)", block)
        folded = re.search(r"\n( +)expr: \|\n((?:\1 +.*\n?)+)", block)
        rule["expr"] = inline[1] if inline else folded[2]
        rule["labels"] = dict(re.findall(r"(\w+): (\w+)", (re.search(r"\n +labels: \{(.*)\}", block) or ["", ""])[1]))
        rule["annotations"] = dict(re.findall(r"\n {10}(summary|description|runbook_url): (.+)", block))
        made.append(rule)
    return made


def names_used(text):
    """Metrics, labels and label values of every expression and annotation."""
    found, metrics = [], catalogue.read()
    pending = rules(text)
    for _ in range(3):  # recorded series may build on recorded series
        for rule in pending:
            if rule["kind"] == "record":
                _, _, labels = promql.findings(rule["expr"], metrics, catalogue.TARGET_LABELS, {}, {})
                metrics[rule["name"]] = ("gauge", labels)
    for rule in pending:
        wrong, _, labels = promql.findings(rule["expr"], metrics, catalogue.TARGET_LABELS, catalogue.FIXED_VALUES,
                                           catalogue.FIXED_VALUES_OF)
        found += [f"{rule['name']}: {what}" for what in wrong]
        for text in rule["annotations"].values():
            found += [f"{rule['name']}: an annotation uses label {label}, which the alert does not have"
                      for label in re.findall(r"\$labels\.(\w+)", text) if label not in labels]
    return found


def names_in_prose(text, alerts, recorded):
    """Metrics, recorded series and alerts that a document or configuration names exist. `sqlbak_job_` by itself is a beginning."""
    known = set(catalogue.read()) | set(recorded)
    found = [f"there is no metric {name}" for name in sorted(set(re.findall(r"(?<![\w/.:-])(?:\w+:)?sqlbak_[a-z0-9_]+(?::\w+)?", text)))
             if name not in known and not name.endswith("_")]
    return found + [f"there is no alert {name}" for name in sorted(set(re.findall(r"\bSqlBak[A-Z]\w+", text))) if name not in alerts]


def completeness(text):
    """Every alert has the labels and annotations that it needs."""
    found = []
    for rule in rules(text):
        if rule["kind"] != "alert":
            continue
        name = rule["name"]
        if rule["labels"].get("severity") not in SEVERITIES:
            found.append(f"{name}: no severity")
        if rule["labels"].get("service") != "sqlbak" or rule["labels"].get("scope") not in ("backup", "collection", "gateway"):
            found.append(f"{name}: no service or scope")
        for annotation in ("summary", "description", "runbook_url"):
            if annotation not in rule["annotations"]:
                found.append(f"{name}: no {annotation}")
        if not rule["annotations"].get("runbook_url", "").endswith("/" + name):
            found.append(f"{name}: its runbook_url is another's")
    return found


def alert_names(text):
    return [rule["name"] for rule in rules(text) if rule["kind"] == "alert"]


def runbooks(alerts, pages, index):
    """Every alert has its page and its line in the index, and there is no page without an alert."""
    found = [f"{name}: no docs/runbooks/{name}.md" for name in sorted(set(alerts) - set(pages))]
    found += [f"docs/runbooks/{name}.md: there is no such alert" for name in sorted(set(pages) - set(alerts))]
    found += [f"{name}: not in the index of the runbooks" for name in sorted(set(alerts)) if f"]({name}.md)" not in index]
    return found


def recorded_and_unused(text, tests):
    """Finds recorded series that neither an alert nor a test uses."""
    made = rules(text)
    return [f"{rule['name']}: neither an alert nor a test uses it" for rule in made if rule["kind"] == "record"
            and not any(rule["name"] in other["expr"] for other in made if other is not rule)
            and not re.search(rf"expr: .*{rule['name']}", tests)]


def tested(alerts, tests):
    """promtool's tests show every alert firing, silent, and silent again."""
    found = []
    for name in alerts:
        blocks = [block for block in re.split(r"\n  - interval:", tests) if f"alertname: {name}\n" in block]
        verdicts = re.findall(rf"alertname: {name}\n +exp_alerts: (\S+)", "\n".join(blocks))
        if not any(v.startswith("&") for v in verdicts):
            found.append(f"{name}: no test in which it fires")
        if verdicts.count("[]") < 2:
            found.append(f"{name}: no tests in which it is silent before and after")
    return found


def routed(alertmanager, alerts):
    """Alerts that the Alertmanager example names exist."""
    return [f"alertmanager.yml: there is no alert {name}" for name in re.findall(r"\bSqlBak\w+", alertmanager)
            if name not in alerts]


def unequal_silences(alertmanager, text):
    """Finds inhibitions by which an alert silences a more severe one: a warning must not hide a page."""
    severities = {rule["name"]: rule["labels"]["severity"] for rule in rules(text) if rule["kind"] == "alert"}
    found = []
    for block in alertmanager.split("- source_matchers:")[1:]:
        sides = [[name for name in severities if any(re.fullmatch(pattern, name) for pattern in re.findall(r'alertname=~?"([^"]+)"', side))]
                 for side in block.split("target_matchers:")]
        found += [f"alertmanager.yml: {source} ({severities[source]}) silences {target} ({severities[target]})"
                  for source in sides[0] for target in sides[1] if SEVERITIES.index(severities[source]) > SEVERITIES.index(severities[target])]
    return found
