"""The rules, the dashboards' expressions and the Alertmanager example, judged by Prometheus's own tools.

    promtool_test.py rules | dashboards | alertmanager | broken | one_job | retired      (one of the promtool tests: alerts NAME)
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import alerts_check
import catalogue
import dashboards_check


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check(*command):
    done = run(*command)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    print(done.stdout)


def rules():
    check("promtool", "check", "rules", *(alerts_check.ALERTS / name for name in alerts_check.RULE_FILES))


def alerts(part):
    check("promtool", "test", "rules", alerts_check.PROMTOOL_TESTS / f"{part}.test.yml")


def alertmanager():
    check("amtool", "check-config", alerts_check.ALERTS / "alertmanager.yml")


def as_rules(dashboard):
    """Every expression as a recording rule, with variables as Grafana would fill them in."""
    made = []
    for number, (_, expr) in enumerate(dashboards_check.expressions(dashboard)):
        expr = re.sub(r"\$\{?__(rate_interval|interval|range)\}?", "5m", expr)
        made.append({"record": f"panel:{number}:expr".replace(":", "_"), "expr": re.sub(r"\$\{?\w+\}?", "x", expr)})
    return {"groups": [{"name": "dashboard", "rules": made}]}


def judge(dashboard, folder):
    path = Path(folder) / "dashboard.rules.yml"
    path.write_text(json.dumps(as_rules(dashboard)), encoding="utf-8")
    return run("promtool", "check", "rules", path)


def dashboards():
    with tempfile.TemporaryDirectory() as folder:
        for name, dashboard in dashboards_check.load().items():
            done = judge(dashboard, folder)
            if done.returncode:
                sys.exit(f"{name}: {done.stdout}{done.stderr}")
            print(name, done.stdout)


def broken():
    """The tools above must find what is broken: an alert that never fires, one that always does, bad PromQL."""
    with tempfile.TemporaryDirectory() as folder:
        dashboard = dashboards_check.load()["sqlbak-fleet"]
        dashboard["panels"][0]["targets"][0]["expr"] += ")"
        if judge(dashboard, folder).returncode == 0:
            sys.exit("promtool accepted a dashboard's bad PromQL")
        text = (alerts_check.ALERTS / "sqlbak-gateway.rules.yml").read_text(encoding="utf-8")
        tests = (alerts_check.PROMTOOL_TESTS / "gateway.test.yml").read_text(encoding="utf-8")
        head = tests[:tests.index("tests:\n")].replace("../../../contrib/alerts/", "") + "tests:\n"
        block = next(b for b in re.split(r"(?=\n  - interval:)", tests) if "SqlBakConfigNotReloaded\n" in b)
        (Path(folder) / "one.test.yml").write_text(head + block, encoding="utf-8")
        good = "sqlbak_gateway_config_last_reload_successful == 0\n        for: 5m"
        for what, bad in {"as it is": good, "never fires": good.replace("== 0", "== 2"), "always fires": good.replace("== 0", ">= 0"),
                          "fires at once": good.replace("5m", "0m")}.items():
            (Path(folder) / "sqlbak-gateway.rules.yml").write_text(text.replace(good, bad), encoding="utf-8")
            passed = run("promtool", "test", "rules", Path(folder) / "one.test.yml").returncode == 0
            if passed != (what == "as it is"):
                sys.exit(f"promtool's verdict is {'passed' if passed else 'failed'} for a rule that is changed: {what}")


ONE_JOB = """rule_files: [sqlbak-gateway.rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="sqlbak", instance="gateway:8000"}', values: '1x60 0x30'}
    alert_rule_test:
      - {eval_time: 59m, alertname: SqlBakGatewayDown, exp_alerts: []}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="SqlBakGatewayDown", alertstate="firing"})', eval_time: 80m, exp_samples: [{labels: '{}', value: 1}]}
"""


def one_job():
    """Moving from SqlBak's published exporter: the rules are loaded only when their scrape jobs are there, or as the page changes them."""
    page = (catalogue.ROOT / "docs/moving-from-the-python-exporter.md").read_text(encoding="utf-8")
    if not 0 < page.index("job_name: sqlbak-gateway") < page.index("sqlbak-gateway.rules.yml"):
        sys.exit("the page loads sqlbak-gateway.rules.yml before there is a scrape job sqlbak-gateway")
    change = re.search(r"(?m)^sed -i '(.+)' sqlbak-gateway.rules.yml$", page)[1]
    text = (alerts_check.ALERTS / "sqlbak-gateway.rules.yml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        rules, test = Path(folder) / "sqlbak-gateway.rules.yml", Path(folder) / "one.test.yml"
        rules.write_text(text, encoding="utf-8")
        test.write_text(ONE_JOB, encoding="utf-8")
        if run("promtool", "test", "rules", test).returncode == 0:
            sys.exit("the shipped rules need no change for a single scrape job: say so on the page")
        check("sed", "-i", change, rules)
        check("promtool", "test", "rules", test)


RETIRED_AND_CURRENT = [
    # type, last attempt (days ago), has counts
    ("diff", 20, False), ("inc", 20, True), ("log", 5, True), ("folder", 5, False)]


def retired():
    """Dashboards show no type that was switched off long ago, though what is remembered of it is bad; the rules have tests of their own."""
    series, row = [], 'job="sqlbak", instance="acme", account="acme", customer="Acme", job_id="7", job_name="ERP", server_name="SQL01", server_id="1"'
    for kind, days, counted in RETIRED_AND_CURRENT:
        labels = f'{{{row}, backup_type="{kind}"}}'
        values = {"last_attempt_timestamp_seconds": -days * 86400, "last_success_timestamp_seconds": -30 * 86400, "window_seconds": 14 * 86400,
                  "consecutive_failures": 4, "last_attempt_success": 0, "retention_violation": 1}
        values.update({"backups_total": 3} if counted else {})
        series += [{"series": f"sqlbak_job_{name}{labels}", "values": f"{value}x10"} for name, value in values.items()]
    tests = []
    for name, title in (("sqlbak-fleet", "Failing backups"), ("sqlbak-account", "Outcome of the last attempt"),
                        ("sqlbak-account", "Age of the last success"), ("sqlbak-account", "Retention violations")):
        panel = next(p for p in dashboards_check.load()[name]["panels"] if p["title"] == title)
        expr = re.sub(r"\$\w+", ".*", panel["targets"][-1 if title == "Retention violations" else 0]["expr"])
        tests.append({"expr": f"count by (backup_type) ({expr})", "eval_time": "5m", "exp_samples": [
            {"labels": f'{{backup_type="{kind}"}}', "value": 1} for kind in ("folder", "inc", "log")]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "retired.test.yml"
        path.write_text(json.dumps({"evaluation_interval": "1m", "tests": [
            {"interval": "1m", "input_series": series, "promql_expr_test": tests}]}), encoding="utf-8")
        check("promtool", "test", "rules", path)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
