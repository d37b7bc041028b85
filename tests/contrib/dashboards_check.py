"""Checks of the dashboards. `findings(dashboard)` returns what is wrong as text, empty if nothing is."""
import json
import re

import catalogue
import promql

FOLDER = catalogue.ROOT / "contrib/grafana/dashboards"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
BUILT_IN = {"__all", "__interval", "__range", "__rate_interval", "__url_time_range", "__value", "__data", "datasource"}
SINCE_THE_START = {"sqlbak_gateway_unrecognised_values_total"}  # shown as it is: has it been seen at all?
COUNTER_FUNCTIONS = re.compile(r"\b(rate|irate|increase|resets)\s*\(")


def load():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def expressions(dashboard):
    """(where, expression) of panels, variables and annotations."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']!r} {target['refId']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", re.match(r"label_values\((.+),", variable["query"]["query"])[1]
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation {annotation['name']}", annotation["expr"]


def findings(dashboard, uids):
    return [what for check in (_frame, _places, _sources, _names, _variables, _fields, lambda d: _links(d, uids))
            for what in check(dashboard)]


def _frame(dashboard):
    """What lets it be imported by hand and by file provisioning."""
    if dashboard["id"] is not None:
        yield "id is not null"
    if not re.fullmatch(r"[a-z0-9-]{1,40}", dashboard.get("uid", "")):
        yield "no short uid"
    if dashboard["schemaVersion"] != 39:
        yield "schemaVersion is not 39"
    if "__inputs" in dashboard:
        yield "__inputs: provisioning never resolves them"
    kinds = {panel["type"] for panel in dashboard["panels"]} - {"row"}
    required = {entry["id"] for entry in dashboard["__requires"] if entry["type"] == "panel"}
    if kinds != required:
        yield f"__requires names {sorted(required)}, the panels are {sorted(kinds)}"


def _places(dashboard):
    """Panels have ids of their own, lie on the 24 columns, and not on each other."""
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(ids) != len(set(ids)):
        yield "two panels have the same id"
    taken = {}
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        if grid["x"] < 0 or grid["w"] < 1 or grid["x"] + grid["w"] > 24:
            yield f"panel {panel['title']!r} is outside the 24 columns"
        for cell in ((x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])):
            if taken.setdefault(cell, panel["title"]) != panel["title"]:
                yield f"panel {panel['title']!r} overlaps {taken[cell]!r}"
                break


def _sources(dashboard):
    """Everything asks the data source that the reader chose."""
    variables = dashboard["templating"]["list"]
    chosen = [v for v in variables if v["type"] == "datasource"]
    if len(chosen) != 1 or (chosen[0]["name"], chosen[0]["query"], chosen[0]["current"], chosen[0]["options"], chosen[0]["refresh"]) != (
            "datasource", "prometheus", {}, [], 1):
        yield "wants exactly one variable `datasource` of Prometheus, without a current value"
    asking = [(f"panel {p['title']!r}", p) for p in dashboard["panels"] if p["type"] != "row"]
    asking += [(f"panel {p['title']!r} {t['refId']}", t) for p in dashboard["panels"] for t in p.get("targets", [])]
    asking += [(f"variable {v['name']}", v) for v in variables if v["type"] == "query"]
    asking += [(f"annotation {a['name']}", a) for a in dashboard["annotations"]["list"] if not a.get("builtIn")]
    for where, holder in asking:
        if holder.get("datasource") != DATASOURCE:
            yield f"{where}: its data source is not ${{datasource}}"


def _names(dashboard):
    metrics = catalogue.read()
    for where, expr in expressions(dashboard):
        wrong, used, _ = promql.findings(expr, metrics, catalogue.TARGET_LABELS, catalogue.FIXED_VALUES, catalogue.FIXED_VALUES_OF)
        yield from (f"{where}: {what}" for what in wrong)
        if any(metrics[name][0] == "counter" for name in used - SINCE_THE_START) and not COUNTER_FUNCTIONS.search(expr):
            yield f"{where}: a counter without rate or increase"
        if re.search(r"\b(rate|increase)\([^\[]*\[(?!\$__rate_interval\])", expr):
            yield f"{where}: a fixed range in rate or increase"


def _variables(dashboard):
    """Variables that are used exist, and query variables follow the time range."""
    names = {v["name"] for v in dashboard["templating"]["list"]}
    for where, text in [*expressions(dashboard), *((f"link {url}", url) for url in _urls(dashboard))]:
        for name in re.findall(r"\$\{?(\w+)", text):
            if name not in names | BUILT_IN:
                yield f"{where}: there is no variable ${name}"
    for v in dashboard["templating"]["list"]:
        if v["type"] == "query" and v["refresh"] != 2:
            yield f"variable {v['name']}: is not read again when the time range changes"


def _fields(dashboard):
    """Titles and descriptions, units, thresholds that begin without a value, and overrides that match a column."""
    titles = [p["title"] for p in dashboard["panels"]]
    for panel in dashboard["panels"]:
        where = f"panel {panel['title']!r}"
        if not panel["title"]:
            yield f"panel {panel['id']} has no title"
        if titles.count(panel["title"]) > 1:
            yield f"{where}: two panels have this title"
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            yield f"{where}: no description"
        if not panel.get("targets"):
            yield f"{where}: no query"
        config = panel["fieldConfig"]
        if panel["type"] in ("stat", "timeseries", "bargauge") and not config["defaults"].get("unit"):
            yield f"{where}: no unit"
        settings = [config["defaults"].get("thresholds")]
        settings += [p["value"] for o in config["overrides"] for p in o["properties"] if p["id"] == "thresholds"]
        for steps in (s["steps"] for s in settings if s):
            if steps[0]["value"] is not None:
                yield f"{where}: its first threshold has a value"
            if any(a["value"] >= b["value"] for a, b in zip(steps[1:], steps[2:])):
                yield f"{where}: its thresholds do not ascend"
        if panel["type"] == "table":
            columns = {name for t in panel["transformations"] for name in t["options"].get("renameByName", {}).values()}
            wanted = [o["matcher"]["options"] for o in config["overrides"]] + [s["displayName"] for s in panel["options"]["sortBy"]]
            for name in wanted:
                if name not in columns:
                    yield f"{where}: there is no column {name!r}"


def _urls(dashboard):
    return re.findall(r'"url": "([^"]+)"', json.dumps(dashboard))


def _links(dashboard, uids):
    for url in _urls(dashboard):
        uid = re.match(r"/d/([\w-]+)", url)
        if uid and uid[1] not in uids:
            yield f"link {url}: there is no such dashboard"
    if not any("sqlbak" in link["tags"] for link in dashboard["links"]) or "sqlbak" not in dashboard["tags"]:
        yield "no links to the other dashboards"
