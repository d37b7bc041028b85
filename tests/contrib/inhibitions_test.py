"""Which alerts silence which, asked of the real Alertmanager with the shipped configuration.

Alerts are handed to it as Prometheus would, with the severity and scope of the shipped rules. Nothing is waited for: a pair of
alerts of the test's own, handed over last, is silenced when all before it has been taken in.
"""
import json
import pathlib
import sys
import unittest
import urllib.request

import alerts_check

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import eventually  # noqa: E402
from peers import Alertmanager  # noqa: E402

LABELS = {rule["name"]: rule["labels"] for rule in alerts_check.rules(
    (alerts_check.ALERTS / "sqlbak-gateway.rules.yml").read_text(encoding="utf-8")) if rule["kind"] == "alert"}
LAST = ' - source_matchers: [alertname="TheLast"]\n    target_matchers: [alertname="TheLastSilenced"]\n'


def alert(name, **labels):
    return {"labels": {"alertname": name, **LABELS.get(name, {}), **labels}}


def of_account(account):
    """Labels of an account as the gateway's service discovery gives them."""
    return {"job": "sqlbak", "account": account, "instance": account}


class Inhibitions(unittest.TestCase):
    def silenced(self, *alerts):
        """Names and instances of the alerts that are silenced."""
        config = (alerts_check.ALERTS / "alertmanager.yml").read_text(encoding="utf-8")
        with Alertmanager(config.replace("\nreceivers:", " " + LAST + "\nreceivers:")) as alertmanager:
            self.hand_over(alertmanager, [*alerts, alert("TheLast")])
            self.hand_over(alertmanager, [alert("TheLastSilenced")])

            eventually("Alertmanager having taken in everything", lambda: "TheLastSilenced" in dict(self.inhibited(alertmanager)))
            return self.inhibited(alertmanager) - {("TheLastSilenced", None)}

    @staticmethod
    def inhibited(alertmanager):
        return {(a["labels"]["alertname"], a["labels"].get("instance")) for a in alertmanager.get("/api/v2/alerts").json()
                if a["status"]["inhibitedBy"]}

    def hand_over(self, alertmanager, alerts):
        request = urllib.request.Request(alertmanager.url + "/api/v2/alerts", data=json.dumps(alerts).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            self.assertEqual(answer.status, 200)

    def test_a_refused_token_silences_its_own_account_only(self):
        stale = [alert("SqlBakDataStale", **of_account(name)) for name in ("acme", "globex")]
        self.assertEqual({("SqlBakDataStale", "acme")}, self.silenced(alert("SqlBakTokenRefused", **of_account("acme")), *stale))

    def test_single_account_gateways_do_not_silence_each_other(self):
        refused = alert("SqlBakTokenRefused", job="sqlbak", instance="a.example.com:8000")
        stale = [alert("SqlBakDataStale", job="sqlbak", instance=f"{host}.example.com:8000") for host in "ab"]
        self.assertEqual({("SqlBakDataStale", "a.example.com:8000")}, self.silenced(refused, *stale))

    def test_stale_data_page_although_warnings_fire(self):
        for warning in ("SqlBakRateLimited", "SqlBakProbeFailing"):
            with self.subTest(warning):
                self.assertEqual({("SqlBakAccountNotCollected", "acme")}, self.silenced(
                    alert(warning, **of_account("acme")), alert("SqlBakDataStale", **of_account("acme")),
                    alert("SqlBakAccountNotCollected", **of_account("acme"))))

    def test_a_failing_probe_silences_never_scraped(self):
        never = [alert("SqlBakAccountNeverScraped", job="sqlbak-gateway", instance=f"gateway-of-{name}:8000", account=name)
                 for name in ("acme", "globex")]
        for cause in ("SqlBakProbeFailing", "SqlBakAccountGone"):
            with self.subTest(cause):
                self.assertEqual({("SqlBakAccountNeverScraped", "gateway-of-acme:8000")},
                                 self.silenced(alert(cause, **of_account("acme")), *never))

    def test_a_wrong_clock_silences_never_scraped(self):
        never = [alert("SqlBakAccountNeverScraped", job="sqlbak-gateway", instance=f"gateway-{n}:8000", account="acme") for n in (1, 2)]
        self.assertEqual({("SqlBakAccountNeverScraped", "gateway-1:8000")}, self.silenced(
            alert("SqlBakClockWrong", job="sqlbak-gateway", instance="gateway-1:8000"), *never))

    def test_a_refused_token_is_heard_while_the_api_is_down(self):
        self.assertEqual({("SqlBakDataStale", "acme")}, self.silenced(
            alert("SqlBakApiDown"), alert("SqlBakDataStale", **of_account("acme")), alert("SqlBakTokenRefused", **of_account("globex"))))


if __name__ == "__main__":
    unittest.main()
