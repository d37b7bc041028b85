#!/usr/bin/env python3
"""Demo data with history, as OpenMetrics text for `promtool tsdb create-blocks-from openmetrics`.

    demo.py SCENARIO FROM TO > demo.om        (Unix seconds)

healthy     a dozen accounts, all well
bad-day     the same on a bad day: late and failing jobs, servers offline, a refused token, a slow API
empty       nothing at all
many        300 accounts, some of them in trouble
published   one account with the published exporter's metrics only
"""
import math
import random
import sys
from collections import defaultdict

DAY, HOUR, MINUTE = 86400, 3600, 60
CUSTOMERS = ["Acme Corp", "Globex", "Initech", "Umbrella Foods", "Stark Logistics", "Wayne Dental", "Hooli Media",
             "Vandelay Imports", "Soylent Farms", "Tyrell Optics", "Wonka Sweets", "Cyberdyne Parts"]
JOB_NAMES = ["Nightly ERP", "CRM databases", "Web shop", "Payroll", "Document archive", "Warehouse", "Reporting", "Mail store"]
REASONS = ["config", "auth", "rate_limited", "timeout", "connection", "upstream_error", "bad_response"]
ENDPOINTS = ["me", "servers", "jobs", "settings", "jobruns", "jobrun_details"]
BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]


class Series:
    """Samples by metric and labels, written family by family as OpenMetrics wants it."""

    def __init__(self):
        self.families = defaultdict(list)

    def add(self, name, labels, at, value):
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        self.families[name].append((text, at, value))

    def write(self, out):
        for name, samples in self.families.items():
            out.write(f"# TYPE {name} unknown\n")
            samples.sort(key=lambda sample: (sample[0], sample[1]))
            for labels, at, value in samples:
                out.write(f"{name}{{{labels}}} {value:g} {at}\n" if abs(value) < 1e6 else f"{name}{{{labels}}} {value:.0f} {at}\n")
        out.write("# EOF\n")


class Row:
    """A job's backups of one type: how often, how long, how large, and since when it has been failing or silent."""

    def __init__(self, rng, backup_type, period, first, failing_since=None, silent_since=None, blips=0.0):
        self.type, self.period, self.blips = backup_type, period, blips
        self.phase = rng.randrange(int(period))
        self.seed, self.first = rng.random(), first
        self.failing_since, self.silent_since = failing_since, silent_since
        self.seconds = rng.uniform(2, 40) * MINUTE if backup_type == "full" else rng.uniform(0.2, 4) * MINUTE
        self.bytes = rng.uniform(2, 90) * 1e9 if backup_type == "full" else rng.uniform(0.02, 2) * 1e9
        self.retention = {"full": 30, "diff": 14, "inc": 14, "log": 7}[backup_type]
        self.max_age = {"full": 36 * HOUR, "diff": 36 * HOUR, "inc": 36 * HOUR, "log": 2 * HOUR}[backup_type]

    def outcome(self, start):
        if self.failing_since and start >= self.failing_since:
            return 0
        return 0 if random.Random(f"{self.seed}{start}").random() < self.blips else 1

    def at(self, now):
        starts = range(int(now // self.period * self.period) + self.phase, self.first - 14 * DAY, -int(self.period))
        attempt = success = None
        in_a_row = failed = succeeded = 0
        for start in starts:
            if start > now or (self.silent_since and start >= self.silent_since):
                continue
            if start < now - 7 * DAY and success:
                break
            ok = self.outcome(start)
            attempt = attempt or (start, ok)
            if ok:
                success = success or start
            elif not success:
                in_a_row += 1
            if start >= now - 7 * DAY:
                succeeded, failed = succeeded + ok, failed + 1 - ok
        return attempt, success, in_a_row, succeeded, failed


class Account:
    def __init__(self, rng, name, customer, jobs, begin, end, bad):
        self.name, self.customer, self.bad, self.rng = name, customer, bad, rng
        servers = max(1, jobs // 2)
        self.servers = [{"server_id": str(100 + i), "server_name": f"{'SQL' if i % 3 else 'ERP'}{i + 1:02}",
                         "app_type": "sqlbak_linux" if i % 4 == 3 else "sqlbak_windows"} for i in range(servers)]
        self.offline_since = {0: end - 9 * HOUR} if "offline" in bad else {}
        self.token_refused_since = end - 5 * HOUR if "token" in bad else None
        self.violating = "retention" in bad
        self.jobs = []
        for i in range(jobs):
            failing = end - rng.uniform(1.2, 3) * DAY if "failing" in bad and i in (1, 4) else None
            silent = end - rng.uniform(2, 5) * DAY if "late" in bad and i == 0 else None
            paused = i == 5
            types = [("full", DAY)] + ([("log", 30 * MINUTE)] if i % 3 == 0 else []) + ([("diff", 6 * HOUR)] if i % 3 == 1 else [])
            if "failing" in bad and i == 3:
                failing = end - rng.uniform(0.6, 1.6) * HOUR
            rows = [Row(rng, t, p, begin, failing if t == types[-1][0] else None, silent, 0.03 if bad else 0.004) for t, p in types]
            self.jobs.append((str(1000 + i), JOB_NAMES[i % len(JOB_NAMES)], self.servers[i % servers], rows, paused))

    def write(self, out, now, published=False, details=True, jobs=True):
        base = {"job": "sqlbak", "instance": self.name} if published else {"account": self.name, "customer": self.customer, "instance": self.name, "job": "sqlbak"}
        if published:
            base["instance"] = "sqlbak-exporter:8000"
        put = lambda name, value, **labels: out.add(name, {**base, **labels}, now, value)
        refused = self.token_refused_since and now >= self.token_refused_since
        looked = self.token_refused_since if refused else now - (now // MINUTE * 37 + hash_of(self.name)) % 270
        states = dict.fromkeys(("protected", "late", "failing", "unknown", "paused"), 0)
        put("sqlbak_last_check_timestamp", looked)
        put("sqlbak_jobruns_available", 0 if refused else 1)
        put("sqlbak_jobsettings_available", 0 if refused else 1)
        if not published:
            put("sqlbak_collection_last_success_timestamp_seconds", looked)
        if not jobs:
            return
        offline = [i for i, since in self.offline_since.items() if now >= since]
        put("sqlbak_offline_servers_total", len(offline))
        for i, server in enumerate(self.servers):
            put("sqlbak_server_online", 0 if i in offline else 1, **server)
        if not published:
            put("sqlbak_collection_in_progress", 0)
            put("sqlbak_collection_jobs_pending", 0)
            put("sqlbak_collection_jobs_unreadable", 0)
            put("sqlbak_collection_api_requests", 40 + hash_of(f"{self.name}{now}") % 30)
            put("probe_success", 0 if refused else 1)
            put("sqlbak_account_suspended", 0)
            put("sqlbak_servers_without_jobs", 0)
            for reason in REASONS:
                put("sqlbak_collection_failure", 1 if refused and reason == "auth" else 0, reason=reason)
            for endpoint in ENDPOINTS:
                put("sqlbak_endpoint_up", 0 if refused else 1, endpoint=endpoint)
        for job_id, job_name, server, rows, paused in self.jobs:
            ids = {"server_name": server["server_name"], "job_name": job_name, "job_id": job_id, "server_id": server["server_id"]}
            late = failing = False
            for row in rows:
                attempt, success, in_a_row, succeeded, failed = row.at(looked)
                j = {**ids, "backup_type": row.type}
                violated = 1 if self.violating and job_id in ("1000", "1002") and row.type == "full" else 0
                age = looked - success if success else None
                late |= age is None or age > row.max_age
                failing |= bool(attempt and not attempt[1])
                hours = (now - success) / HOUR if success and success >= now - 14 * DAY else -1
                put("sqlbak_job_retention_days", row.retention, **j)
                put("sqlbak_job_has_backups_older_than_policy", violated, **j)
                put("sqlbak_job_last_success_age_hours", hours, **j)
                put("sqlbak_job_backups_failed_total", failed, **j)
                if details:
                    put("sqlbak_job_backups_succeeded_total", succeeded, **j)
                    put("sqlbak_job_backups_total", succeeded + failed, **j)
                    for metric, value in (("retention_days", row.retention), ("last_success_age_hours", hours), ("old_backups", violated)):
                        put("sqlbak_job_summary", value, row_key=f"{ids['server_name']}|{job_name}|{row.type}", **j, metric=metric)
                if published:
                    continue
                put("sqlbak_job_window_seconds", 7 * DAY, **j)
                put("sqlbak_job_retention_violation", violated, **j)
                put("sqlbak_job_consecutive_failures", in_a_row, **j)
                put("sqlbak_job_max_age_seconds", row.max_age, **j, source="config")
                put("sqlbak_job_overdue", int(not paused and (age is None or age > row.max_age)), **j)
                if attempt:
                    put("sqlbak_job_last_attempt_timestamp_seconds", attempt[0], **j)
                    put("sqlbak_job_last_attempt_success", attempt[1], **j)
                    wobble = random.Random(f"{row.seed}{attempt[0]}d").uniform(0.85, 1.2)
                    if details:
                        growth = 1 + (attempt[0] - row.first) / (90 * DAY)
                        put("sqlbak_job_last_duration_seconds", row.seconds * wobble * growth, **j)
                        put("sqlbak_job_last_size_bytes", row.bytes * (0.97 + wobble / 33) * growth, **j)
                if success:
                    put("sqlbak_job_last_success_timestamp_seconds", success, **j)
            if published:
                continue
            put("sqlbak_job_info", 1, **ids, job_type="backup", enabled="false" if paused else "true")
            put("sqlbak_job_databases_failing", 2 if failing else 0, **ids)
            states["paused" if paused else "late" if late else "failing" if failing else "protected"] += 1
        if not published:
            for state, value in states.items():
                put("sqlbak_jobs", value, state=state)


def hash_of(text):
    return random.Random(text).randrange(1 << 30)


class Gateway:
    """Counters that go on from minute to minute."""

    def __init__(self, accounts, bad, end):
        self.accounts, self.bad, self.end = accounts, bad, end
        self.counters = defaultdict(float)
        self.rng = random.Random(5)

    def count(self, name, by, **labels):
        self.counters[(name, tuple(labels.items()))] += by

    def observe(self, name, value, by, **labels):
        for bound in [*BUCKETS, math.inf]:
            self.count(name + "_bucket", by if value <= bound else 0, **labels, le="+Inf" if bound == math.inf else f"{bound:g}")
        self.count(name + "_count", by, **labels)
        self.count(name + "_sum", by * value, **labels)

    def minute(self, out, now, begin):
        base = {"instance": "gateway:8000", "job": "sqlbak-gateway"}
        put = lambda name, value, **labels: out.add(name, {**base, **labels}, now, value)
        slow = self.bad and self.end - 4 * HOUR < now < self.end - 2.5 * HOUR
        for account in self.accounts:
            refused = account.token_refused_since and now >= account.token_refused_since
            due = (now // MINUTE + hash_of(account.name)) % 5 == 0
            self.count("sqlbak_gateway_probes_total", 1, account=account.name, result="stale" if refused else "collected" if due else "fresh")
            if due:
                self.count("sqlbak_gateway_collections_total", 1, account=account.name, result="auth" if refused else "success")
                for endpoint, requests in zip(ENDPOINTS, (0.08, 1, 1, 6, 24, 8)):
                    n = 0 if refused else self.rng.uniform(0.8, 1.2) * requests
                    self.count("sqlbak_gateway_api_requests_total", n, account=account.name, endpoint=endpoint, code="200")
                    latency = self.rng.uniform(0.03, 0.09) * (25 if slow else 1) * (2 if endpoint == "jobruns" else 1)
                    self.observe("sqlbak_gateway_api_request_duration_seconds", latency, n, endpoint=endpoint)
                if refused:
                    self.count("sqlbak_gateway_api_requests_total", 1, account=account.name, endpoint="servers", code="401")
                if slow:
                    self.count("sqlbak_gateway_api_requests_total", 2, account=account.name, endpoint="jobruns", code="503")
                    self.count("sqlbak_gateway_api_retries_total", 2, account=account.name)
                    self.count("sqlbak_gateway_api_throttled_seconds_total", self.rng.uniform(1, 20), account=account.name)
            put("sqlbak_gateway_account_last_probe_timestamp_seconds", now - 10, account=account.name)
            put("sqlbak_gateway_account_last_success_timestamp_seconds", account.token_refused_since if refused else now - 100, account=account.name)
            put("sqlbak_gateway_collection_duration_seconds", (0.3 + hash_of(account.name) % 100 / 90) * (15 if slow else 1), account=account.name)
            self.observe("sqlbak_gateway_probe_duration_seconds", self.rng.uniform(0.3, 0.9) * (10 if slow else 1) if due else 0.004, 1)
        self.count("sqlbak_gateway_http_requests_total", len(self.accounts), path="/probe", code="200")
        self.count("sqlbak_gateway_http_requests_total", 1, path="/metrics", code="200")
        self.count("sqlbak_gateway_http_rejected_total", 3 if slow else 0, reason="overload")
        self.count("sqlbak_gateway_unknown_account_probes_total", 0)
        self.count("sqlbak_gateway_history_errors_total", 0)
        self.count("process_cpu_seconds_total", self.rng.uniform(0.2, 0.4) + 0.02 * len(self.accounts))
        for (name, labels), value in self.counters.items():
            out.add(name, {**base, **dict(labels)}, now, value)
        put("sqlbak_gateway_build_info", 1, version="1.0.0", revision="demo", compiler="g++ 12.2")
        put("sqlbak_gateway_accounts", len(self.accounts))
        put("sqlbak_gateway_api_requests_limit_per_second", 200)
        put("sqlbak_gateway_config_last_reload_successful", 1)
        put("sqlbak_gateway_config_files_rejected", 0)
        put("sqlbak_gateway_history_info", 1, kind="sqlite")
        put("sqlbak_gateway_history_size_bytes", (3e6 + (now - begin) * 4) * max(1, len(self.accounts) / 12))
        put("sqlbak_gateway_tls_certificate_expiry_timestamp_seconds", self.end + 61 * DAY)
        put("process_start_time_seconds", begin - 3 * DAY)
        put("process_resident_memory_bytes", (24 + 0.35 * len(self.accounts) + 2 * math.sin(now / 4000)) * 1e6)
        put("process_open_fds", 40 + hash_of(str(now)) % 9)
        put("process_threads", 24)


BAD = {1: {"failing"}, 2: {"late", "retention"}, 4: {"offline"}, 6: {"token"}, 9: {"late", "failing", "offline"}}


def main():
    scenario, begin, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng, out = random.Random(7), Series()
    if scenario == "many":
        accounts = [Account(random.Random(i), f"customer-{i:03}", f"Customer {i:03}", 3 + i % 3, begin, end,
                            BAD.get(i % 23, set()) if i % 2 else set()) for i in range(300)]
    elif scenario == "published":
        accounts = [Account(rng, "default", "", 8, begin, end, {"late", "failing", "offline", "retention"})]
    elif scenario == "empty":
        accounts = []
    else:
        bad = BAD if scenario == "bad-day" else {}
        accounts = [Account(rng, name.split()[0].lower(), name, 4 + i * 3 % 5, begin, end, bad.get(i, set()))
                    for i, name in enumerate(CUSTOMERS)]
    pace = 900 if scenario == "many" else 1800  # jobs change rarely; how old the data are, all the time
    for now in range(begin, end + 1, 300):
        for account in accounts:
            account.write(out, now, scenario == "published", scenario != "many", jobs=now % pace == 0)
    if accounts and scenario != "published":
        gateway = Gateway(accounts, scenario in ("bad-day", "many"), end)
        pace = 120 if scenario == "many" else 60
        for now in range(max(begin, end - DAY), end + 1, pace):
            gateway.minute(out, now, begin)
    out.write(sys.stdout)


if __name__ == "__main__":
    main()
