"""Expressions that more than one dashboard uses.

An account is its `instance`: the gateway's service discovery and the usual relabelling set it to the account's name, and
for the published exporter it is the exporter's address. Where the gateway's own metrics are missing, an expression falls
back to the published names, so that the dashboards work with these alone.
"""


def age_seconds(selector):
    """Time since the last success, per job and type; nothing where there is none."""
    return (f"(time() - sqlbak_job_last_success_timestamp_seconds{{{selector}}}"
            f" or (sqlbak_job_last_success_age_hours{{{selector}}} >= 0) * 3600)")


def without_retired(rows, selector, account):
    """Rows of jobs and types, but for types that were switched off and have no run in the window any more: what is remembered of them is
    not the customer's state. As in the alert rules: only types that are enabled or were seen in the window have counts. `account` selects
    all types of a job, whatever the rows are of."""
    counted = f'(sqlbak_job_backups_total{{{account}}} or sqlbak_job_window_backups{{{account}, status="succeeded"}})'
    return (f"({rows} unless on (instance, job_id, backup_type) ("
            f"sqlbak_job_last_attempt_timestamp_seconds{{{selector}}} < time() - sqlbak_job_window_seconds{{{selector}}}"
            f" and on (instance, job_id) {counted} unless on (instance, job_id, backup_type) {counted}))")


def published_late(selector):
    """What sqlbak_jobs{state="late"} comes closest to in the published names: limits by type, and no success at all."""
    age = "sqlbak_job_last_success_age_hours"
    return (f'({age}{{{selector}, backup_type="log"}} > 6 or {age}{{{selector}, backup_type=~"diff|inc"}} > 48'
            f' or {age}{{{selector}, backup_type!~"log|diff|inc"}} > 192 or {age}{{{selector}}} < 0)')


def published_failing(selector):
    return f"(sqlbak_job_backups_failed_total{{{selector}}} > 0)"


BY = "by (customer, instance)"


def _jobs_of(rows):
    return f"count {BY} (count by (customer, instance, job_id) ({rows}))"


def jobs(state, selector):
    """Jobs in a state by account; 0 where an account has none."""
    zero = f"0 * {accounts(selector)}"
    known = f'sum {BY} (sqlbak_jobs{{{selector}, state="{state}"}})'
    published = {
        "late": _jobs_of(published_late(selector)),
        "failing": _jobs_of(published_failing(selector)),
        "protected": _jobs_of(f"sqlbak_job_last_success_age_hours{{{selector}}} unless on (instance, job_id) "
                              f"({published_late(selector)} or {published_failing(selector)})"),
    }.get(state)
    return " or ".join(part for part in (known, published, zero) if part)


def jobs_at_risk(selector):
    return (f'sum {BY} (sqlbak_jobs{{{selector}, state=~"late|failing"}})'
            f" or {_jobs_of(f'{published_late(selector)} or {published_failing(selector)}')}"
            f" or 0 * {accounts(selector)}")


def accounts(selector):
    """One series for each account that is scraped."""
    return f"max {BY} (sqlbak_collection_in_progress{{{selector}}} or sqlbak_last_check_timestamp{{{selector}}})"


def servers_offline(selector):
    return (f"count {BY} (sqlbak_server_online{{{selector}}} == 0)"
            f" or 0 * count {BY} (sqlbak_server_online{{{selector}}})")


def data_age_seconds(selector):
    return (f"time() - max {BY} (sqlbak_collection_last_success_timestamp_seconds{{{selector}}}"
            f" or sqlbak_last_check_timestamp{{{selector}}})")


def collected(selector):
    """1 or 0 by account: did the latest collection succeed; for the published exporter: in the last half hour."""
    return (f"1 - max {BY} (sqlbak_collection_failure{{{selector}}})"
            f" or max {BY} (time() - sqlbak_last_check_timestamp{{{selector}}} < bool 1800)")
