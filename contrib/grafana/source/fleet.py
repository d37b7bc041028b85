"""Which customer is at risk?"""
from expressions import (BY, accounts, age_seconds, collected, data_age_seconds, jobs, jobs_at_risk, published_late,
                         published_failing, servers_offline, without_retired)
from panels import (COLOURED_TEXT, FILLED_CELL, GREEN, ORANGE, PURPLE, REASON_COLOURS, RED, STATE_COLOURS, bars, dashboard, lines,
                    counts, now, query, stat, table, texts, thresholds, variable)

UID = "sqlbak-fleet"
F = 'customer=~"$customer", instance=~"$account"'
JOB_LABELS = "customer, instance, server_name, job_name, job_id, backup_type"

ACCOUNT_LINK = [{"title": "Open ${__value.text}", "targetBlank": False,
                 "url": "/d/sqlbak-account?var-account=${__value.raw}&var-datasource=${datasource}&${__url_time_range}"}]


def account_column(width=120):
    return ("instance", "Account", None, {"links": ACCOUNT_LINK, "custom_width": width})


overdue = f"(sqlbak_job_overdue{{{F}}} == 1)"
failing = without_retired(f"sqlbak_job_consecutive_failures{{{F}}} > 0", F, F)
gateway_knows = "sqlbak_job_window_seconds"

SECTIONS = [
    (None, [
        (stat("Accounts at risk", "Accounts with a job that is late or failing.",
              [now(f"count(({jobs_at_risk(F)}) > 0) or 0 * count({accounts(F)})")],
              steps=thresholds("text", (0, GREEN), (1, RED))), 4, 4),
        (stat("Protected jobs", "Share of the jobs that are neither late nor failing nor unknown, without paused ones.",
              [now(f'sum({jobs("protected", F)}) / (sum(sqlbak_jobs{{{F}, state!="paused"}}) or '
                   f"count(count by (instance, job_id) (sqlbak_job_last_success_age_hours{{{F}}})))")],
              unit="percentunit", decimals=1, steps=thresholds("text", (0, RED), (0.9, ORANGE), (0.99, GREEN))), 4, 4),
        (counts("Jobs that are not protected",
                "Late: the last success is older than max_age allows. Failing: the last attempt failed. Unknown: too little "
                "is known to judge. Paused: disabled, or ignored by configuration.",
                [(state, f"sum({jobs(state, F)})", STATE_COLOURS[state])
                 for state in ("late", "failing", "unknown", "paused")]), 8, 4),
        (stat("Servers offline", "Servers whose status is not online.", [now(f"sum({servers_offline(F)})")],
              steps=thresholds("text", (0, GREEN), (1, ORANGE))), 4, 4),
        (stat("Not collected", "Accounts whose latest collection failed: what is shown of them grows old.",
              [now(f"sum(1 - ({collected(F)}))")], steps=thresholds("text", (0, GREEN), (1, RED))), 4, 4),
    ]),
    (None, [
        (table("Accounts", "Every account, those at risk first. The name leads to the account's dashboard.", [
            account_column(200),
            ("customer", "Customer", None, {}),
            (None, "At risk", jobs_at_risk(F),
             {"thresholds": thresholds("transparent", (1, RED)), "custom_cellOptions": FILLED_CELL,
              "custom_align": "center", "custom_width": 80}),
            (None, "Late", jobs("late", F), {"thresholds": thresholds("text", (1, ORANGE)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 70}),
            (None, "Failing", jobs("failing", F), {"thresholds": thresholds("text", (1, RED)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 80}),
            (None, "Unknown", jobs("unknown", F), {"thresholds": thresholds("text", (1, PURPLE)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
            (None, "Protected", jobs("protected", F), {"custom_width": 90}),
            (None, "Servers offline", servers_offline(F), {"thresholds": thresholds("text", (1, ORANGE)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 130}),
            (None, "Oldest success", f'max {BY} ({without_retired(age_seconds(F), F, F)} unless on (instance, job_id) sqlbak_job_info{{{F}, enabled="false"}})',
             {"unit": "s", "decimals": 1, "custom_width": 130}),
            (None, "Collected", collected(F),
             {"mappings": texts({1: ("yes", GREEN), 0: ("no", RED)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 95}),
            (None, "Data age", data_age_seconds(F),
             {"unit": "s", "decimals": 1, "thresholds": thresholds("text", (1800, ORANGE), (10800, RED)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 110}),
        ], none="No account is scraped", sort=[("At risk", True), ("Collected", False)]), 24, 12),
    ]),
    ("What to do next", [
        (table("Overdue backups", "Jobs and types whose last success is older than allowed, the oldest first.", [
            account_column(),
            ("server_name", "Server", None, {"custom_width": 90}),
            ("job_name", "Job", None, {}),
            ("backup_type", "Type", None, {"custom_width": 55}),
            (None, "Age", f"max by ({JOB_LABELS}) ({age_seconds(F)} and {overdue} or ({published_late(F)} >= 0) * 3600 unless on (instance, job_id) {gateway_knows})",
             {"unit": "s", "decimals": 1, "noValue": "never", "thresholds": thresholds(ORANGE), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
            (None, "Allowed", f"max by ({JOB_LABELS}) (sqlbak_job_max_age_seconds{{{F}}} and on (instance, job_id, backup_type) {overdue})",
             {"unit": "s", "decimals": 1, "custom_width": 85}),
        ], none="None is known", sort=[("Age", True)], hidden=("customer", "job_id")), 12, 9),
        (table("Failing backups", "Jobs and types whose last attempts failed, the longest series first.", [
            account_column(),
            ("server_name", "Server", None, {"custom_width": 90}),
            ("job_name", "Job", None, {}),
            ("backup_type", "Type", None, {"custom_width": 55}),
            (None, "In a row", f"max by ({JOB_LABELS}) ({failing} unless on (instance, job_id) sqlbak_job_info{{{F}, enabled=\"false\"}})",
             {"thresholds": thresholds(ORANGE, (3, RED)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
            (None, "Failed", f"max by ({JOB_LABELS}) ({published_failing(F)} and on (instance, job_id, backup_type) (sqlbak_job_consecutive_failures{{{F}}} > 0) or {published_failing(F)} unless on (instance, job_id) {gateway_knows})",
             {"custom_width": 75}),
        ], none="None is known", sort=[("In a row", True)], hidden=("customer", "job_id")), 12, 9),
    ]),
    ("Trends", [
        (lines("Jobs by state", "All jobs of the selected accounts, by state.", [query(
            f"sum by (state) (sqlbak_jobs{{{F}}})"
            f' or label_replace(sum({jobs("protected", F)}), "state", "protected", "", "")'
            f' or label_replace(sum({jobs("late", F)}), "state", "late", "", "")'
            f' or label_replace(sum({jobs("failing", F)}), "state", "failing", "", "")', "{{state}}", interval="5m")],
            unit="none", stacked=True, colours=STATE_COLOURS, decimals=0), 12, 8),
        (lines("Accounts at risk over time", "Accounts with a late or failing job, and accounts whose latest collection failed.", [
            query(f"count(({jobs_at_risk(F)}) > 0) or 0 * count({accounts(F)})", "at risk", interval="5m"),
            query(f"sum(1 - ({collected(F)}))", "not collected", interval="5m")],
            unit="none", colours={"at risk": RED, "not collected": PURPLE}, decimals=0, at_least=1), 6, 8),
        (bars("Oldest data", "Time since the last successful collection: the ten accounts with the oldest data.",
              [now(f"topk(10, {data_age_seconds(F)})", "{{instance}}")], unit="s",
              steps=thresholds("text", (0, GREEN), (1800, ORANGE), (10800, RED))), 6, 8),
    ]),
    ("Servers and collecting", [
        (table("Which servers are offline", "Servers whose status is not online.", [
            account_column(180),
            ("server_name", "Server", None, {}),
            ("app_type", "Agent", None, {"custom_width": 160}),
            (None, "Status", f"max by (customer, instance, server_name, server_id, app_type) (sqlbak_server_online{{{F}}}) == 0",
             {"mappings": texts({0: ("offline", ORANGE)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
        ], none="None", sort=[("Account", False)], hidden=("customer", "server_id")), 12, 8),
        (lines("Why collections fail", "Accounts whose latest collection failed, by reason.",
               [query(f"sum by (reason) (sqlbak_collection_failure{{{F}}}) > 0", "{{reason}}", interval="5m")],
               unit="none", stacked=True, bars=True, decimals=0, colours=REASON_COLOURS, none="None is known to fail"), 12, 8),
    ]),
]


def build():
    return dashboard(
        uid=UID, title="SqlBak / Fleet", description="All accounts at a glance: which customer's backups are at risk.",
        variables=[
            variable("customer", "Customer", '{__name__=~"sqlbak_collection_in_progress|sqlbak_last_check_timestamp"}', "customer"),
            variable("account", "Account", '{__name__=~"sqlbak_collection_in_progress|sqlbak_last_check_timestamp", customer=~"$customer"}', "instance"),
        ],
        sections=SECTIONS, time_from="now-7d",
        alerts='ALERTS{alertname=~"SqlBak.+", alertstate="firing", severity="critical", instance=~"$account"}')
