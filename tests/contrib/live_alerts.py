"""The simulator, the gateway, Debian's Prometheus with the shipped rules, and Alertmanager with the shipped routes and
inhibitions: what goes wrong at a customer arrives as the right alert, alone, and resolves when it is mended.

The rules are the shipped ones with every duration divided, so that minutes become seconds.
"""

import contextlib
import http.server
import json
import pathlib
import re
import sys
import tempfile
import threading
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import dashboards_check  # noqa: E402
from harness import SOURCE, Gateway, Prometheus, Simulator, eventually  # noqa: E402
from peers import Alertmanager  # noqa: E402

FASTER = 200
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CUSTOMERS = {"acme": "Acme Corp", "globex": "Globex", "initech": "Initech"}

# What rightly has nothing to show on the demo: nothing is retried, turned away, unknown or late to be collected there,
# there is no TLS, and every customer could be collected.
MAY_BE_EMPTY = {
    "Certificate", "Retries", "Throttled", "Turned away", "Values the gateway does not know", "Answers that are not 200",
    "Last success by account", "Why collections fail", "Alerts",
}


def faster(match):
    seconds = int(match[2]) * SECONDS[match[3]]
    return f"{match[1]}{max(1, round(seconds / FASTER))}s"


def fast_rules():
    text = (SOURCE / "contrib/alerts/sqlbak-gateway.rules.yml").read_text(encoding="utf-8")
    text = re.sub(r"(\n +(?:for|keep_firing_for): )(\d+)([smhd])\b", faster, text)
    return text.replace("interval: 1m", "interval: 1s").replace("[1h]", "[20s]")


def fast_routes(receiver):
    text = (SOURCE / "contrib/alerts/alertmanager.yml").read_text(encoding="utf-8")
    text = re.sub(r"http://127\.0\.0\.1:\d+/", receiver + "/", text)
    return text.replace("group_wait: 30s", "group_wait: 2s").replace("group_interval: 5m", "group_interval: 1s")


class Receiver:
    """Takes Alertmanager's notifications: what fires now, and what has ever arrived."""

    def __enter__(self):
        self.lock, self.firing, self.arrived = threading.Lock(), {}, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def take(self, notification):
        with self.lock:
            for alert in notification["alerts"]:
                key = tuple(sorted(alert["labels"].items()))
                if alert["status"] == "firing":
                    if key not in self.firing:
                        self.arrived.append(alert)
                    self.firing[key] = alert
                else:
                    self.firing.pop(key, None)

    def names(self):
        with self.lock:
            return sorted(alert["labels"]["alertname"] for alert in self.firing.values())

    def told(self):
        """What fires, so that a failed test says what it is about."""
        with self.lock:
            return [alert["annotations"]["summary"] for alert in self.firing.values()]

    def alert(self, name):
        with self.lock:
            return next((a for a in self.firing.values() if a["labels"]["alertname"] == name), None)

    def forget(self):
        with self.lock:
            self.arrived = []

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def gateway_config(api):
    config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\npath = "history.db"\n'
              f'[defaults]\napi_url = "{api.api_url}"\ncache_ttl = "1s"\nsettings_ttl = "0s"\nnames = "both"\n')
    files = {}
    for account, customer in CUSTOMERS.items():
        config += f'[accounts.{account}]\ntoken_file = "tokens/{account}"\nlabels = {{ customer = "{customer}" }}\n'
        files[f"tokens/{account}"] = f"demo-token-{account}\n"
    return {"config": config, "files": files}


PROMETHEUS = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [ {rules} ]
alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: [ "127.0.0.1:{alertmanager}" ] }} ] }} ] }}
scrape_configs:
  - job_name: sqlbak
    http_sd_configs: [ {{ url: "http://127.0.0.1:{gateway}/sd", refresh_interval: 1s }} ]
  - job_name: sqlbak-gateway
    static_configs: [ {{ targets: [ "127.0.0.1:{gateway}" ] }} ]
"""


class Live(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.programs = contextlib.ExitStack()
        self.addCleanup(self.programs.close)
        enter = self.programs.enter_context
        rules = pathlib.Path(enter(tempfile.TemporaryDirectory())) / "rules.yml"
        rules.write_text(fast_rules(), encoding="utf-8")
        self.api = enter(Simulator("--for", "15m"))
        self.prepare()
        self.gateway = enter(Gateway(**gateway_config(self.api)))
        self.receiver = enter(Receiver())
        self.alertmanager = enter(Alertmanager(fast_routes(self.receiver.url)))
        self.prometheus = enter(Prometheus(PROMETHEUS.format(
            rules=rules, alertmanager=self.alertmanager.port, gateway=self.gateway.port)))
        eventually("every account collected and scraped",
                   lambda: len(self.prometheus.query("probe_success == 1")) == len(CUSTOMERS))

    def prepare(self):
        pass

    def change(self, what, **values):
        self.api.control(f"/{what}?" + urllib.parse.urlencode(values))


class Alerts(Live):
    def prepare(self):
        """The demo's customers, all of them healthy."""
        for account, job in (("globex", "CRM"), ("globex", "Warehouse"), ("initech", "Payroll"), ("initech", "Timesheets")):
            self.change("job", account=account, job=job, remove="on")
        for account, server in (("acme", "acme-branch"), ("globex", "globex-db-1"), ("initech", "initech-sql"), ("initech", "initech-spare")):
            self.change("server", account=account, server=server, remove="on")
        self.change("run", account="acme", job="Intranet", type="database_full", status="succeeded")
        self.change("run", account="acme", job="Intranet", type="database_differential", status="succeeded")
        self.change("run", account="initech", job="Facilities", type="database_full", status="succeeded")

    def expect(self, why, *names):
        """Expects these alerts to fire, all others to be silent or resolved, and no other to have arrived since the last call."""
        try:
            eventually(why, lambda: self.receiver.names() == sorted(names), 180)
        except AssertionError:
            self.fail(f"{why}: {sorted(names)} should fire, and {self.receiver.names()} do: {self.receiver.told()}")
        arrived = {alert["labels"]["alertname"] for alert in self.receiver.arrived}
        self.assertEqual(set(names), arrived, why)
        if not names:
            self.receiver.forget()

    def labels(self, name):
        return self.receiver.alert(name)["labels"]

    def held(self, seconds=25):
        """Lets Prometheus's clock go on, so that an alert that must stay silent has time to fire."""
        until = self.prometheus.query("vector(time())")[0][1] + seconds
        eventually("time passing", lambda: self.prometheus.query("vector(time())")[0][1] >= until)

    def test_what_goes_wrong_arrives_alone_and_resolves(self):
        self.held()
        self.expect("all is well")

        self.change("run", account="acme", job="Intranet", type="database_full", status="failed")
        self.expect("a job fails", "SqlBakBackupFailed")
        self.held()
        self.expect("a job fails", "SqlBakBackupFailed")
        labels = self.labels("SqlBakBackupFailed")
        self.assertEqual(("acme", "Acme Corp", "Intranet", "full", "acme-web-01", "warning"),
                         tuple(labels[k] for k in ("account", "customer", "job_name", "backup_type", "server_name", "severity")))
        self.assertEqual("Acme Corp, acme: full backup of Intranet failed",
                         self.receiver.alert("SqlBakBackupFailed")["annotations"]["summary"])
        self.change("run", account="acme", job="Intranet", type="database_full", status="succeeded")
        self.expect_resolved()

        self.change("server", account="acme", server="acme-web-01", status="offline")
        self.expect("a server goes offline", "SqlBakServerOffline")
        self.assertEqual("acme-web-01", self.labels("SqlBakServerOffline")["server_name"])
        self.change("server", account="acme", server="acme-web-01", status="online")
        self.expect_resolved()

        self.change("account", account="globex", token="a-new-token")
        self.expect("a token is revoked", "SqlBakTokenRefused")
        self.held()
        self.expect("a token is revoked", "SqlBakTokenRefused")
        self.assertEqual(("globex", "Globex", "critical"),
                         tuple(self.labels("SqlBakTokenRefused")[k] for k in ("account", "customer", "severity")))
        (pathlib.Path(self.gateway.home.name) / "tokens/globex").write_text("a-new-token\n", encoding="utf-8")
        self.expect_resolved()

        self.change("job", account="acme", job="Intranet", enforces_retention="off")
        self.change("run", account="acme", job="Intranet", type="database_full", status="succeeded", age="20d")
        self.expect("retention is not enforced", "SqlBakRetentionViolation")
        self.change("job", account="acme", job="Intranet", full_days="60")
        self.expect_resolved()

        self.change("faults", rule="endpoint=*,status=503")
        self.expect("the API goes down", "SqlBakApiDown")
        self.held()
        self.expect("the API goes down", "SqlBakApiDown")
        self.api.control("/faults", method="DELETE")
        self.expect_resolved()

    def expect_resolved(self):
        try:
            eventually("mended", lambda: self.receiver.names() == [], 180)
        except AssertionError:
            self.fail(f"mended, and these fire still: {self.receiver.told()}")
        self.receiver.forget()


class Dashboards(Live):
    def test_every_query_is_answered(self):
        """On the demo as it is, where something of everything is wrong."""
        for uid, dashboard in dashboards_check.load().items():
            with self.subTest(uid):
                try:
                    eventually("data everywhere", lambda: not self.empty(dashboard) - MAY_BE_EMPTY)
                except AssertionError:
                    self.fail(f"no data in {self.empty(dashboard) - MAY_BE_EMPTY}")

    def empty(self, dashboard):
        """Panels, variables and annotations without any data now. An error in a query fails."""
        variables = {"account": "globex|acme|initech", "customer": ".*", "server": ".*", "job": ".*", "type": ".*", "gateway": ".*"}
        answered = {}
        for where, expr in dashboards_check.expressions(dashboard):
            expr = expr.replace("$__rate_interval", "10s")
            expr = re.sub(r"\$(\w+)", lambda name: variables[name[1]], expr)
            title = re.match(r"panel '(.*)' \w$|\w+ (.*)", where)
            answered.setdefault(title[1] or title[2], []).append(bool(self.prometheus.query(expr)))
        return {title for title, answers in answered.items() if not any(answers)}


if __name__ == "__main__":
    unittest.main(verbosity=2)
