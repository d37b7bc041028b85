"""The dashboards import cleanly, name only what exists, and are as their source writes them."""
import copy
import subprocess
import sys
import unittest

import catalogue
import dashboards_check as check


class Dashboards(unittest.TestCase):
    def test_are_well_formed_and_use_only_what_exists(self):
        dashboards = check.load()
        self.assertEqual(["sqlbak-account", "sqlbak-fleet", "sqlbak-gateway"], sorted(d["uid"] for d in dashboards.values()))
        for name, dashboard in dashboards.items():
            self.assertEqual([], check.findings(dashboard, set(dashboards)), name)

    def test_are_as_their_source_writes_them(self):
        done = subprocess.run([sys.executable, catalogue.ROOT / "contrib/grafana/source/build.py", "--check"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_show_the_published_names_alone(self):
        """Each panel of the published article has a query that the published exporter can answer."""
        published = {name for name in catalogue.read() if name in catalogue.PUBLISHED}
        account = check.load()["sqlbak-account"]
        for title in ("Servers offline", "Jobs", "Age of the last success", "Failed backups by job", "Retention violations",
                      "Retention settings", "Last check", "Runs readable", "Settings readable", "Backup summary"):
            panel = next(p for p in account["panels"] if p["title"] == title)
            self.assertTrue(any(name in target["expr"] for target in panel["targets"] for name in published), title)


class TheChecks(unittest.TestCase):
    """Each must find the mistake it is there for."""

    def setUp(self):
        self.all = check.load()
        self.dashboard = copy.deepcopy(self.all["sqlbak-fleet"])
        self.panel = next(p for p in self.dashboard["panels"] if p["type"] == "table")

    def assert_found(self, what):
        found = check.findings(self.dashboard, set(self.all))
        self.assertTrue(any(what in line for line in found), found)

    def edit(self, old, new):
        target = next(t for t in self.panel["targets"] if old in t["expr"])
        target["expr"] = target["expr"].replace(old, new)

    def test_find_a_misspelt_metric(self):
        self.edit("sqlbak_jobs{", "sqlbak_job{")
        self.assert_found("unknown metric sqlbak_job")

    def test_find_a_label_that_the_metric_does_not_have(self):
        self.edit('state="late"', 'condition="late"')
        self.assert_found("sqlbak_jobs has no label condition")

    def test_find_a_label_value_that_never_occurs(self):
        self.edit('state="late"', 'state="overdue"')
        self.assert_found("state is never 'overdue'")

    def test_find_a_variable_that_is_not_there(self):
        self.edit("$customer", "$tenant")
        self.assert_found("there is no variable $tenant")

    def test_find_panels_that_overlap(self):
        self.panel["gridPos"]["y"] -= 1
        self.assert_found("overlaps")

    def test_find_a_panel_off_the_grid(self):
        self.panel["gridPos"]["x"] = 1
        self.assert_found("outside the 24 columns")

    def test_find_a_data_source_of_one_s_own(self):
        self.panel["targets"][0]["datasource"] = {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}
        self.assert_found("its data source is not ${datasource}")

    def test_find_a_threshold_that_begins_with_a_value(self):
        self.panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] = 0
        self.assert_found("its first threshold has a value")

    def test_find_an_override_of_a_column_that_is_not_there(self):
        self.panel["fieldConfig"]["overrides"][0]["matcher"]["options"] = "Acount"
        self.assert_found("there is no column 'Acount'")

    def test_find_a_link_to_nowhere(self):
        self.panel["fieldConfig"]["overrides"][0]["properties"][0]["value"][0]["url"] = "/d/sqlbak-acount?x"
        self.assert_found("there is no such dashboard")

    def test_find_a_fixed_range(self):
        self.panel["targets"][0]["expr"] = "sum(rate(sqlbak_gateway_api_retries_total[5m]))"
        self.assert_found("a fixed range")

    def test_find_a_counter_shown_as_it_is(self):
        self.panel["targets"][0]["expr"] = "sqlbak_gateway_api_retries_total"
        self.assert_found("a counter without rate or increase")


if __name__ == "__main__":
    unittest.main()
