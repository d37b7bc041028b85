"""What about this customer's backups?"""
from expressions import age_seconds, data_age_seconds, jobs, without_retired
from panels import (COLOURED_TEXT, FILLED_CELL, GREEN, GREY, ORANGE, RED, STATE_COLOURS, bars, counts, dashboard, lines, named, now, query, stat,
                    table, texts, thresholds, timeline, variable)

UID = "sqlbak-account"
A = 'instance=~"$account"'
S = f'{A}, server_name=~"$server"'
J = f'{S}, job_name=~"$job", backup_type=~"$type"'
ROW = "server_name, job_name, job_id, backup_type"
LEGEND = "{{job_name}} · {{backup_type}} · {{server_name}}"
YES_NO = texts({1: ("yes", GREEN), 0: ("no", RED)})

age = f"max by ({ROW}) {without_retired(age_seconds(J), J, A)}"
last_attempt = f"max by ({ROW}) {without_retired(f'sqlbak_job_last_attempt_success{{{J}}}', J, A)}"
in_a_row = f"max by ({ROW}) {without_retired(f'sqlbak_job_consecutive_failures{{{J}}}', J, A)}"
limit = f"max by ({ROW}) {without_retired(f'sqlbak_job_max_age_seconds{{{J}}}', J, A)}"
failed_in_window = (f"max by ({ROW}) (sqlbak_job_backups_failed_total{{{J}}}"
                    f' or sqlbak_job_window_backups{{{J}, status="failed"}})')
succeeded_in_window = (f"max by ({ROW}) (sqlbak_job_backups_succeeded_total{{{J}}}"
                       f' or sqlbak_job_window_backups{{{J}, status="succeeded"}})')
retention = f"(sqlbak_job_retention_days{{{J}}} * 86400 or sqlbak_job_retention_seconds{{{J}}})"
past_retention = f"(sqlbak_job_has_backups_older_than_policy{{{J}}} or sqlbak_job_older_than_policy{{{J}}})"
violation = f"({without_retired(f'sqlbak_job_retention_violation{{{J}}}', J, A)} or {past_retention} unless on (instance) sqlbak_collection_in_progress{{{A}}})"


def count(title, description, expr, colour):
    return stat(title, description, [now(expr)], steps=thresholds("text", (0, GREEN), (1, colour)))


def seconds(**more):
    return {"unit": "s", "decimals": 1, **more}


def tinted(steps, **more):
    return {"thresholds": steps, "custom_cellOptions": COLOURED_TEXT, **more}


SERVER, JOB, TYPE = (("server_name", "Server", None, {"custom_width": 100}), ("job_name", "Job", None, {}),
                     ("backup_type", "Type", None, {"custom_width": 55}))
def summary():
    """sqlbak_job_summary is made for this: one series a cell, turned into a table by a transformation."""
    made = table("Backup summary", "Retention, age of the last success and old backups, from sqlbak_job_summary by transformations.",
                 [(None, "Value", f"max by (row_key, metric) (sqlbak_job_summary{{{J}}})", {})], sort=[("Backup", False)],
                 none="sqlbak_job_summary is turned off, or the clean names are in use")
    made["transformations"] = [
        {"id": "groupingToMatrix", "options": {"columnField": "metric", "rowField": "row_key", "valueField": "Value", "emptyValue": "null"}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": {}, "renameByName": {
            "row_key\\metric": "Backup", "retention_days": "Retention (days)",
            "last_success_age_hours": "Last success (hours)", "old_backups": "Expired backups"}}}]
    made["fieldConfig"]["overrides"] = [
        named("Last success (hours)", decimals=1, mappings=texts({-1: ("none in the window", RED)}), custom_cellOptions=COLOURED_TEXT),
        named("Expired backups", mappings=texts({1: ("present", ORANGE), 0: ("no", GREY)}), custom_cellOptions=COLOURED_TEXT)]
    return made



SECTIONS = [
    (None, [
        (stat("Collected", "Did the latest collection succeed? If not, the rest is the last good state.",
              [now(f"min(1 - sqlbak_collection_failure{{{A}}}) or min(time() - sqlbak_last_check_timestamp{{{A}}} < bool 1800)")],
              mappings=texts({1: ("yes", GREEN), 0: ("no", RED)})), 3, 4),
        (stat("Data age", "Time since the last successful collection.", [now(f"max({data_age_seconds(A)})")], unit="s",
              decimals=1, steps=thresholds("text", (0, GREEN), (1800, ORANGE), (10800, RED))), 3, 4),
        (counts("Protected, late, failing", "Jobs of the account by state.",
                [(state, f"sum({jobs(state, A)})", STATE_COLOURS[state]) for state in ("protected", "late", "failing")]), 6, 4),
        (count("Servers offline", "Servers whose status is not online.",
               f"max(sqlbak_offline_servers_total{{{A}}} or sqlbak_servers_offline{{{A}}})", ORANGE), 4, 4),
        (count("Databases failing", "Databases whose latest backup failed, even where the job's last run looks good.",
               f"sum(sqlbak_job_databases_failing{{{S}}})", RED), 4, 4),
        (count("Retention faults", "Jobs and types whose expired backups were not deleted.",
               f"sum({violation})", ORANGE), 4, 4),
    ]),
    ("Backups", [
        (table("Jobs", "One row for each job and backup type that is enabled or was seen in its window, late ones and the oldest first.", [
            SERVER, JOB, TYPE,
            (None, "Last attempt", last_attempt,
             {"mappings": texts({1: ("OK", GREEN), 0: ("failed", RED)}), "thresholds": thresholds("transparent"), "custom_cellOptions": FILLED_CELL, "custom_align": "center", "custom_width": 105}),
            (None, "Last success", age, seconds(noValue="never", custom_width=130)),
            (None, "Allowed", limit, seconds(custom_width=85)),
            (None, "Late", f"max by ({ROW}) (sqlbak_job_overdue{{{J}}})",
             {"mappings": texts({1: ("late", ORANGE), 0: ("no", GREY)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 65}),
            (None, "In a row", in_a_row,
             tinted(thresholds("text", (1, ORANGE), (3, RED)), custom_width=80)),
            (None, "Failed", failed_in_window, tinted(thresholds("text", (1, RED)), custom_width=75)),
            (None, "Succeeded", succeeded_in_window, {"custom_width": 95}),
            (None, "Retention", f"max by ({ROW}) {retention}", {"unit": "s", "decimals": 0, "custom_width": 90}),
            (None, "Violation", f"max by ({ROW}) {violation}",
             {"mappings": texts({1: ("yes", ORANGE), 0: ("no", GREY)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
        ], sort=[("Late", True), ("Last success", True)], hidden=("job_id",)), 24, 11),
        (timeline("Outcome of the last attempt", "The last finished run of each job and type, over time.",
                  [query(last_attempt, LEGEND, interval="15m")],
                  texts({1: ("OK", GREEN), 0: ("failed", RED)}), none="No outcomes are known"), 16, 10),
        (bars("Failed backups by job", "Failed backups in each job's window: the ten with the most.",
              [now(f"topk(10, {failed_in_window} > 0)", LEGEND)], unit="none",
              steps=thresholds("text", (1, ORANGE), (5, RED)), none="None failed"), 8, 10),
    ]),
    ("Age and limits", [
        (lines("Age of the last success", "Time since the last success; it should fall back to 0 as often as the job runs.",
               [query(age, LEGEND)], unit="s", fill=0), 12, 9),
        (lines("Overdue backups and their limit",
               "Only jobs that are late: the age of their last success, and dashed what is allowed.",
               [query(f"max by ({ROW}) ({age_seconds(J)} and sqlbak_job_overdue{{{J}}} == 1)", LEGEND),
                query(f"{limit} and on ({ROW}) (sqlbak_job_overdue{{{J}}} == 1)", "allowed: " + LEGEND)],
               unit="s", fill=0, dashed=("/^allowed/",), none="Nothing is late, as far as limits are known"), 12, 9),
    ]),
    ("Servers and retention", [
        (table("Servers", "All servers of the account, those offline first.", [
            ("server_name", "Server", None, {}), ("app_type", "Agent", None, {"custom_width": 140}),
            (None, "Online", f"max by (server_name, server_id, app_type) (sqlbak_server_online{{{S}}})",
             {"mappings": YES_NO, "custom_cellOptions": COLOURED_TEXT, "custom_width": 75}),
        ], sort=[("Online", False)], hidden=("server_id",)), 8, 8),
        (timeline("Servers online", "Whether SqlBak reached each server, over time.",
                  [query(f"max by (server_name, server_id) (sqlbak_server_online{{{S}}})", "{{server_name}}", interval="15m")],
                  texts({1: ("online", GREEN), 0: ("offline", ORANGE)})), 16, 8),
        (table("Retention violations", "Expired backups that a later success should have removed still have files.", [
            SERVER, JOB, TYPE,
            (None, "Retention", f"max by ({ROW}) {retention} and on ({ROW}) (max by ({ROW}) ({violation}) == 1)", {"unit": "s", "decimals": 0, "custom_width": 90}),
            (None, "Violation", f"max by ({ROW}) ({violation}) == 1", {"mappings": texts({1: ("yes", ORANGE)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 90}),
        ], none="None", sort=[("Server", False)], hidden=("job_id",)), 12, 8),
        (table("Retention settings", "How long backups are kept, by job and type, and whether expired ones are there now.", [
            SERVER, JOB, TYPE,
            (None, "Retention", f"max by ({ROW}) {retention}", {"unit": "s", "decimals": 0, "custom_width": 90}),
            (None, "Expired ones", f"max by ({ROW}) {past_retention}", {"mappings": texts({1: ("present", ORANGE), 0: ("no", GREY)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 110}),
        ], sort=[("Retention", False)], hidden=("job_id",)), 12, 8),
    ]),
    ("Duration and size, where SqlBak says", [
        (lines("Duration", "How long the last run took.", [query(f"max by ({ROW}) (sqlbak_job_last_duration_seconds{{{J}}})", LEGEND)],
               unit="s", fill=0, none="SqlBak does not say"), 12, 8),
        (lines("Size", "Size of the last run's backups.", [query(f"max by ({ROW}) (sqlbak_job_last_size_bytes{{{J}}})", LEGEND)],
               unit="bytes", fill=0, none="SqlBak does not say"), 12, 8),
    ]),
    ("Exporter health", [
        (stat("Last check", "When the exporter last read the account successfully.",
              [now(f"1000 * max(sqlbak_last_check_timestamp{{{A}}} or sqlbak_collection_last_success_timestamp_seconds{{{A}}})")], unit="dateTimeFromNow"), 4, 5),
        (stat("Runs readable", "Whether every job's runs could be read.",
              [now(f"min(sqlbak_jobruns_available{{{A}}} or sqlbak_collection_jobs_unreadable{{{A}}} == bool 0)")], mappings=YES_NO), 4, 5),
        (stat("Settings readable", "Whether every job's settings could be read.",
              [now(f"min(sqlbak_jobsettings_available{{{A}}} or sqlbak_collection_jobs_unreadable{{{A}}} == bool 0)")], mappings=YES_NO), 4, 5),
        (stat("API requests", "Requests of the last collection.", [now(f"max(sqlbak_collection_api_requests{{{A}}})")], unit="short"), 4, 5),
        (lines("Data age over time", "Time since the last successful collection.", [query(f"max({data_age_seconds(A)})", "data age")],
               unit="s"), 8, 5),
    ]),
    ("Summary", [
        (summary(), 24, 9),
    ]),
]



def build():
    some = '{__name__=~"sqlbak_collection_in_progress|sqlbak_last_check_timestamp", customer=~"$customer"}'
    return dashboard(
        uid=UID, title="SqlBak / Account", description="One account: its backups, servers, retention, and how well they are known.",
        variables=[
            variable("customer", "Customer", '{__name__=~"sqlbak_collection_in_progress|sqlbak_last_check_timestamp"}', "customer"),
            variable("account", "Account", some, "instance", multi=False, every=False),
            variable("server", "Server", f"sqlbak_server_online{{{A}}}", "server_name"),
            variable("job", "Job", f'{{__name__=~"sqlbak_job_window_seconds|sqlbak_job_retention_days", {S}}}', "job_name"),
            variable("type", "Type", f'{{__name__=~"sqlbak_job_window_seconds|sqlbak_job_retention_days", {S}, job_name=~"$job"}}', "backup_type"),
        ],
        sections=SECTIONS, time_from="now-7d",
        alerts='ALERTS{alertname=~"SqlBak.+", alertstate="firing", instance=~"$account"}')
