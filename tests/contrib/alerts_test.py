"""The alert rules, their runbooks and their promtool tests fit together, and name only what exists."""
import unittest

import alerts_check as check


def texts():
    return {name: (check.ALERTS / name).read_text(encoding="utf-8") for name in check.RULE_FILES}


class Alerts(unittest.TestCase):
    def test_use_only_metrics_and_labels_of_the_catalogue(self):
        for name, text in texts().items():
            self.assertEqual([], check.names_used(text), name)

    def test_say_how_bad_it_is_for_whom_and_what_to_do(self):
        for name, text in texts().items():
            self.assertEqual([], check.completeness(text), name)

    def test_have_a_runbook_page_each_and_no_page_is_left_over(self):
        alerts = [alert for text in texts().values() for alert in check.alert_names(text)]
        pages = [page.stem for page in check.RUNBOOKS.glob("*.md") if page.stem != "README"]
        self.assertEqual([], check.runbooks(alerts, pages, (check.RUNBOOKS / "README.md").read_text(encoding="utf-8")))

    def test_are_each_shown_firing_and_silent(self):
        for name, text in texts().items():
            tests = "".join((check.PROMTOOL_TESTS / f"{part}.test.yml").read_text(encoding="utf-8")
                            for part in check.RULE_FILES[name])
            self.assertEqual([], check.tested(check.alert_names(text), tests), name)

    def test_and_documents_name_only_what_exists(self):
        made = [rule for text in texts().values() for rule in check.rules(text)]
        alerts = {rule["name"] for rule in made if rule["kind"] == "alert"}
        recorded = {rule["name"] for rule in made if rule["kind"] == "record"}
        root = check.catalogue.ROOT
        files = [root / "README.md", *(path for folder in ("docs", "contrib", "etc") for path in (root / folder).rglob("*")
                                       if path.suffix in (".md", ".yml", ".yaml", ".toml") and "node_modules" not in path.parts)]
        self.assertGreater(len(files), 60)
        for file in files:
            self.assertEqual([], check.names_in_prose(file.read_text(encoding="utf-8"), alerts, recorded), file)

    def test_use_what_is_recorded(self):
        for name, text in texts().items():
            tests = "".join(path.read_text(encoding="utf-8") for path in check.PROMTOOL_TESTS.glob("*.test.yml"))
            self.assertEqual([], check.recorded_and_unused(text, tests), name)

    def test_named_in_the_alertmanager_example_exist(self):
        alerts = {alert for text in texts().values() for alert in check.alert_names(text)}
        self.assertEqual([], check.routed((check.ALERTS / "alertmanager.yml").read_text(encoding="utf-8"), alerts))

    def test_never_silence_what_is_more_severe(self):
        alertmanager = (check.ALERTS / "alertmanager.yml").read_text(encoding="utf-8")
        for name, text in texts().items():
            self.assertEqual([], check.unequal_silences(alertmanager, text), name)


class TheChecks(unittest.TestCase):
    """Each must find the mistake it is there for."""

    def setUp(self):
        self.text = texts()["sqlbak-gateway.rules.yml"]

    def broken(self, old, new):
        self.assertIn(old, self.text)
        return self.text.replace(old, new)

    def test_find_a_misspelt_metric(self):
        self.assertIn("SqlBakBackupOverdue: unknown metric sqlbak_job_overdu",
                      check.names_used(self.broken("last_over_time(sqlbak_job_overdue[1h]) == 1", "last_over_time(sqlbak_job_overdu[1h]) == 1")))

    def test_find_a_label_that_the_metric_does_not_have(self):
        self.assertIn("SqlBakTokenRefused: sqlbak_collection_failure has no label cause",
                      check.names_used(self.broken('{reason="auth"}', '{cause="auth"}')))

    def test_find_a_label_value_that_never_occurs(self):
        self.assertIn("SqlBakTokenRefused: sqlbak_collection_failure: reason is never 'oauth'",
                      check.names_used(self.broken('{reason="auth"}', '{reason="oauth"}')))

    def test_find_a_label_list_that_matches_nothing(self):
        self.assertTrue(any("label job_di" in what for what in check.names_used(
            self.broken("unless on (account, instance, job_id) job:sqlbak_job_paused:last1h", "unless on (account, instance, job_di) job:sqlbak_job_paused:last1h"))))

    def test_find_an_annotation_with_a_label_that_is_not_there(self):
        self.assertTrue(any("uses label database" in what for what in check.names_used(
            self.broken("{{ $labels.app_type }}", "{{ $labels.database }}"))))

    def test_find_a_missing_severity_and_a_foreign_runbook(self):
        found = check.completeness(self.broken("sqlbak/SqlBakRateLimited", "sqlbak/SqlBakDataStale").replace("{severity: info", "{urgency: info"))
        self.assertIn("SqlBakRateLimited: its runbook_url is another's", found)
        self.assertIn("SqlBakOverrideUnmatched: no severity", found)

    def test_find_names_in_a_document_that_do_not_exist(self):
        prose = "Ask for `sqlbak_job_overdu{job_id=\"7\"}`, job:sqlbak_job_late:last1h or all of sqlbak_job_; `SqlBakBackupOverdu` fires."
        self.assertEqual(["there is no metric job:sqlbak_job_late:last1h", "there is no metric sqlbak_job_overdu",
                          "there is no alert SqlBakBackupOverdu"], check.names_in_prose(prose, {"SqlBakBackupOverdue"}, set()))

    def test_find_a_recorded_series_that_does_not_exist(self):
        self.assertIn("SqlBakBackupOverdue: unknown metric job:sqlbak_job_pausd:last1h", check.names_used(
            self.text.replace("job:sqlbak_job_paused:last1h\n        for: 5m", "job:sqlbak_job_pausd:last1h\n        for: 5m")))

    def test_find_a_recorded_series_that_nobody_uses(self):
        self.assertEqual(["fleet:sqlbak_accounts:count: neither an alert nor a test uses it"],
                         check.recorded_and_unused("\n      - record: fleet:sqlbak_accounts:count\n        expr: count(x)\n", ""))

    def test_find_a_missing_and_a_superfluous_page(self):
        self.assertEqual(["A: no docs/runbooks/A.md", "docs/runbooks/B.md: there is no such alert", "A: not in the index of the runbooks"],
                         check.runbooks(["A"], ["B"], ""))

    def test_find_an_alert_that_is_never_shown_firing(self):
        self.assertEqual(["A: no test in which it fires"],
                         check.tested(["A"], "alertname: A\n        exp_alerts: []\nalertname: A\n        exp_alerts: []"))

    def test_find_a_warning_that_silences_what_pages(self):
        alertmanager = (check.ALERTS / "alertmanager.yml").read_text(encoding="utf-8")
        broken = alertmanager.replace("SqlBakTokenRefused|", "SqlBakTokenRefused|SqlBakRateLimited|")
        self.assertEqual(["alertmanager.yml: SqlBakRateLimited (warning) silences SqlBakDataStale (critical)"],
                         check.unequal_silences(broken, self.text))


if __name__ == "__main__":
    unittest.main()
