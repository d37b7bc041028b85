"""Debian's Prometheus scrapes the demo's customers, and each query of the published dashboard returns what the simulator's
state says it must."""

import unittest

from harness import DEMO_ACCOUNTS, Gateway, Prometheus, Simulator, demo_config, eventually, parse_exposition

RELABELLED = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: sqlbak
    metrics_path: /probe
    static_configs: [ {{ targets: [ {accounts} ] }} ]
    relabel_configs:
      - {{ source_labels: [__address__], target_label: __param_account }}
      - {{ source_labels: [__param_account], target_label: account }}
      - {{ source_labels: [__param_account], target_label: instance }}
      - {{ target_label: __address__, replacement: "127.0.0.1:{port}" }}
"""

DISCOVERED = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: sqlbak
    http_sd_configs: [ {{ url: "http://127.0.0.1:{port}/sd", refresh_interval: 1s }} ]
"""

# (query, how to get the same from the truth of one account)
QUERIES = [
    ("sqlbak_server_online == 0", lambda name, value: name.startswith("sqlbak_server_online{") and value == 0),
    ("sqlbak_offline_servers_total", lambda name, value: name == "sqlbak_offline_servers_total"),
    ("sqlbak_job_backups_failed_total > 0",
     lambda name, value: name.startswith("sqlbak_job_backups_failed_total{") and value > 0),
    ("sqlbak_job_has_backups_older_than_policy > 0",
     lambda name, value: name.startswith("sqlbak_job_has_backups_older_than_policy{") and value > 0),
    ("sqlbak_job_retention_days", lambda name, value: name.startswith("sqlbak_job_retention_days{")),
    ("sqlbak_jobruns_available", lambda name, value: name == "sqlbak_jobruns_available"),
    ("sqlbak_jobsettings_available", lambda name, value: name == "sqlbak_jobsettings_available"),
    ('sqlbak_job_summary{metric="old_backups"}',
     lambda name, value: name.startswith("sqlbak_job_summary{") and 'metric="old_backups"' in name),
]


def as_series(labels):
    """A Prometheus result's labels as the simulator writes a series, without what scraping added."""
    kept = {k: v for k, v in labels.items() if k not in ("__name__", "account", "instance", "job")}
    escaped = (f'{k}="' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for k, v in sorted(kept.items()))
    inside = ",".join(escaped)
    return labels["__name__"] + ("{" + inside + "}" if inside else "")


class Scraped(unittest.TestCase):
    def check(self, scrape_config):
        # Time stands still in the simulator, so that what was true when it was scraped is true when it is compared.
        with Simulator("--speed", "0") as api:
            with Gateway(**demo_config(api.api_url)) as gateway:
                accounts = ", ".join(DEMO_ACCOUNTS)
                with Prometheus(scrape_config.format(port=gateway.port, accounts=accounts)) as prometheus:
                    self.compare(api, prometheus)

    def compare(self, api, prometheus):
        eventually("every account collected and scraped",
                   lambda: len(prometheus.query("probe_success == 1")) == len(DEMO_ACCOUNTS))
        truths = {account: parse_exposition(api.control(f"/truth?account={account}", method="GET").text())
                  for account in DEMO_ACCOUNTS}
        for query, belongs in QUERIES:
            with self.subTest(query):
                seen = {(labels["account"], as_series(labels)): value for labels, value in prometheus.query(query)}
                expected = {(account, name): value for account, truth in truths.items()
                            for name, value in truth.items() if belongs(name, value)}
                self.assertEqual(seen, expected)
                self.assertTrue(seen, "the demo shows nothing here")
        ages = prometheus.query("sqlbak_job_last_success_age_hours")
        self.assertTrue(ages)
        for labels, age in ages:
            with self.subTest(as_series(labels)):
                expected = truths[labels["account"]][as_series(labels)]
                # The gateway's clock goes on while the simulator's stands still.
                self.assertAlmostEqual(age, expected, delta=0.1)
        for labels, since in prometheus.query("time() - sqlbak_last_check_timestamp"):
            self.assertTrue(0 <= since < 120, labels)

    def test_through_relabelling(self):
        self.check(RELABELLED)

    def test_through_service_discovery(self):
        self.check(DISCOVERED)


if __name__ == "__main__":
    unittest.main()
