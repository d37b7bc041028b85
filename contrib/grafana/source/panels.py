"""The vocabulary in which the dashboards are written: panels, variables, thresholds, and the frame around them.

Everything that makes a dashboard import cleanly, by hand and by file provisioning, is decided here once: one data
source variable, `id` null, no `__inputs`, the first threshold without a value.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

GREEN, ORANGE, RED, PURPLE, BLUE, GREY = "green", "orange", "red", "purple", "blue", "#808080"
STATE_COLOURS = {"protected": GREEN, "late": ORANGE, "failing": RED, "unknown": PURPLE, "paused": BLUE}
REASON_COLOURS = {"auth": RED, "config": PURPLE, "rate_limited": "yellow", "timeout": ORANGE, "connection": "dark-orange",
                  "upstream_error": "dark-red", "bad_response": BLUE}

GRAFANA_VERSION = "10.4.0"
PANEL_NAMES = {
    "bargauge": "Bar gauge", "stat": "Stat", "state-timeline": "State timeline", "table": "Table",
    "timeseries": "Time series",
}


def thresholds(first, *steps):
    """`first` is the colour below all steps; each step is (value, colour)."""
    return {"mode": "absolute",
            "steps": [{"value": None, "color": first}] + [{"value": value, "color": colour} for value, colour in steps]}


def texts(mapping):
    """{0: ("Failed", RED)}: what to show for values."""
    return [{"type": "value", "options": {str(value): {"text": text, "color": colour, "index": index}
                                          for index, (value, (text, colour)) in enumerate(mapping.items())}}]


def query(expr, legend=None, *, instant=False, table=False, interval=None):
    target = {"datasource": DATASOURCE, "editorMode": "code", "expr": one_line(expr)}
    if legend is not None:
        target["legendFormat"] = legend
    if interval or "$__rate_interval" in expr:  # at least a scrape interval, so that a rate always sees samples
        target["interval"] = interval or "1m"
    target["instant"] = instant or table
    target["range"] = not target["instant"]
    if table:
        target["format"] = "table"
    return target


def now(expr, legend=None):
    return query(expr, legend, instant=True)


def rows(expr):
    return query(expr, table=True)


def one_line(expr):
    return " ".join(expr.split())


def panel(kind, title, description, queries, *, defaults=None, overrides=(), options=None, transformations=()):
    made = {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "targets": [{"refId": chr(ord("A") + i), **q} for i, q in enumerate(queries)],
            "fieldConfig": {"defaults": defaults or {}, "overrides": list(overrides)},
            "options": options or {}}
    if transformations:
        made["transformations"] = list(transformations)
    return made


REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title, description, queries, *, unit="none", steps=None, mappings=None, decimals=None, spark=False,
         none="–", text="auto"):
    defaults = {"unit": unit, "noValue": none, "thresholds": steps or thresholds("text"),
                "color": {"mode": "thresholds"}}
    if mappings:
        defaults["mappings"] = mappings
    if decimals is not None:
        defaults["decimals"] = decimals
    return panel("stat", title, description, queries, defaults=defaults, options={
        "reduceOptions": REDUCE, "colorMode": "value", "graphMode": "area" if spark else "none", "justifyMode": "auto",
        "orientation": "auto", "textMode": text, "wideLayout": True})


def counts(title, description, named_queries):
    """Several numbers side by side: (name, expression, colour when above 0)."""
    made = stat(title, description, [now(expr, name) for name, expr, _ in named_queries], text="value_and_name")
    made["fieldConfig"]["overrides"] = [named(name, thresholds=thresholds("text", (1, colour)))
                                        for name, _, colour in named_queries]
    made["options"]["orientation"] = "vertical"
    return made


def lines(title, description, queries, *, unit, stacked=False, bars=False, fill=10, colours=None,
          at_least=None, decimals=None, none="No data", dashed=()):
    custom = {"drawStyle": "bars" if bars else "line", "lineWidth": 1 if not bars else 0,
              "fillOpacity": (80 if bars else 60) if stacked else fill, "showPoints": "never", "spanNulls": False,
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"}}
    if at_least is not None:
        custom["axisSoftMax"] = at_least
    defaults = {"unit": unit, "min": 0, "custom": custom, "noValue": none, "color": {"mode": "palette-classic"}}
    if decimals is not None:
        defaults["decimals"] = decimals
    overrides = [named(name, color={"mode": "fixed", "fixedColor": colour}) for name, colour in (colours or {}).items()]
    overrides += [{"matcher": {"id": "byRegexp", "options": pattern},
                   "properties": [prop("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
                                  prop("custom.fillOpacity", 0)]} for pattern in dashed]
    return panel("timeseries", title, description, queries, defaults=defaults, overrides=overrides, options={
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"}})


def bars(title, description, queries, *, unit, steps, none="–"):
    return panel("bargauge", title, description, queries,
                 defaults={"unit": unit, "min": 0, "noValue": none, "thresholds": steps, "color": {"mode": "thresholds"}},
                 options={"reduceOptions": REDUCE, "orientation": "horizontal", "displayMode": "basic",
                          "valueMode": "color", "showUnfilled": True, "namePlacement": "auto", "sizing": "auto",
                          "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 32, "text": {"valueSize": 14}})


def timeline(title, description, queries, mappings, none="No data"):
    return panel("state-timeline", title, description, queries,
                 defaults={"mappings": mappings, "noValue": none, "color": {"mode": "thresholds"},
                           "thresholds": thresholds(GREY), "custom": {"fillOpacity": 80, "lineWidth": 0}},
                 options={"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                          "showValue": "never", "rowHeight": 0.8, "mergeValues": True, "alignValue": "left",
                          "tooltip": {"mode": "single", "sort": "none"}})


def prop(name, value):
    return {"id": name, "value": value}


def named(field, **properties):
    """An override: underscores in property names stand for dots (custom_width)."""
    return {"matcher": {"id": "byName", "options": field},
            "properties": [prop(name.replace("custom_", "custom."), value) for name, value in properties.items()]}


COLOURED_TEXT = {"type": "color-text"}
FILLED_CELL = {"type": "color-background", "mode": "basic"}


def table(title, description, columns, *, sort, none="–", hidden=()):
    """`columns`: (field name in the answer, heading, query expression or None for a label, override properties).

    Every query must answer with the same labels; rows are merged over them, those of `hidden` columns too.
    """
    queries = [rows(expr) for _, _, expr, _ in columns if expr]
    letters = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    names = {}
    for label, heading, expr, _ in columns:
        source = (("Value #" + next(letters)) if len(queries) > 1 else "Value") if expr else label
        names[source] = heading
    order = {source: index for index, source in enumerate(names)}
    # `none` is what an empty table says; a cell without a value is another matter.
    overrides = [named(heading, **({"noValue": "–", **properties} if expr else properties))
                 for _, heading, expr, properties in columns if expr or properties]
    return panel("table", title, description, queries,
                 defaults={"noValue": none, "custom": {"align": "auto", "cellOptions": {"type": "auto"},
                                                       "inspect": False, "filterable": False},
                           "thresholds": thresholds("text")},
                 overrides=overrides,
                 options={"showHeader": True, "cellHeight": "sm",
                          "sortBy": [{"displayName": name, "desc": descending} for name, descending in sort]},
                 transformations=[
                     # Time goes last: where a query has no answer it is all that its frame shares with the others.
                     {"id": "merge", "options": {}},
                     {"id": "organize", "options": {"excludeByName": dict.fromkeys(["Time", *hidden], True),
                                                    "indexByName": order, "renameByName": names}},
                 ])


# --- variables

def datasource_variable():
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
            "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1, "skipUrlSync": False,
            "current": {}}


def variable(name, label, selector, of_label, *, multi=True, every=True):
    expr = f"label_values({one_line(selector)}, {of_label})"
    made = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": expr,
            "query": {"query": expr, "refId": "PrometheusVariableQueryEditor-VariableQuery"}, "regex": "",
            "refresh": 2, "sort": 5, "hide": 0, "includeAll": every, "multi": multi, "options": [],
            "skipUrlSync": False,
            "current": {"selected": True, "text": ["All"] if multi else "All",
                        "value": ["$__all"] if multi else "$__all"} if every else {}}
    if every:
        made["allValue"] = ".*"
    return made


# --- the frame

def place(sections):
    """[(row title or None, [(panel, width, height), …])] -> panels on the 24 columns, left to right, top to bottom."""
    placed, y = [], 0
    for title, members in sections:
        if title:
            placed.append({"id": len(placed) + 1, "type": "row", "title": title, "collapsed": False,
                           "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []})
            y += 1
        x = height = 0
        for made, w, h in members:
            if x + w > 24:
                x, y, height = 0, y + height, 0
            placed.append({"id": len(placed) + 1, "gridPos": {"x": x, "y": y, "w": w, "h": h}, **made})
            x, height = x + w, max(height, h)
        y += height
    return placed


def dashboard(*, uid, title, description, variables, sections, time_from, alerts):
    panels = place(sections)
    kinds = sorted({p["type"] for p in panels} - {"row"})
    return {
        "__requires": [{"type": "grafana", "id": "grafana", "name": "Grafana", "version": GRAFANA_VERSION},
                       {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}]
                      + [{"type": "panel", "id": kind, "name": PANEL_NAMES[kind], "version": ""} for kind in kinds],
        "annotations": {"list": [
            {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
             "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"},
            {"datasource": DATASOURCE, "enable": False, "hide": False, "iconColor": RED, "name": "Alerts",
             "expr": one_line(alerts), "titleFormat": "{{alertname}}", "textFormat": "{{job_name}} {{server_name}}",
             "useValueForTime": False}]},
        "description": description, "editable": True, "fiscalYearStartMonth": 0, "graphTooltip": 1, "id": None,
        "links": [{"title": "SqlBak", "type": "dashboards", "tags": ["sqlbak"], "asDropdown": True, "icon": "external link",
                   "includeVars": False, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}],
        "liveNow": False, "panels": panels, "refresh": "1m", "schemaVersion": 39, "tags": ["sqlbak", "backup"],
        "templating": {"list": [datasource_variable(), *variables]},
        "time": {"from": time_from, "to": "now"}, "timepicker": {}, "timezone": "", "title": title, "uid": uid,
        "version": 1, "weekStart": "",
    }
