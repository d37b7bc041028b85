"""The metrics that exist, read from the catalogue they are all made from, and the labels that scraping adds."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/sqlbak_gateway/exposition/catalogue.h"

# What the scrape configuration adds to every series (/sd, or the relabelling of a multi-target exporter).
TARGET_LABELS = {"job", "instance", "account", "customer"}

# Labels whose values are a fixed list: a matcher with another value never matches, and says nothing.
FIXED_VALUES = {
    "state": {"protected", "late", "failing", "unknown", "paused"},
    "backup_type": {"full", "diff", "log", "inc", "folder", "unknown"},
    "endpoint": {"me", "servers", "jobs", "settings", "jobruns", "jobrun_details", "destinations", "dbms_connections"},
    "kind": {"sqlite", "memory"},
    "source": {"config", "inferred"},
    "enabled": {"true", "false", ""},
}
REASONS = {"config", "auth", "rate_limited", "timeout", "connection", "upstream_error", "bad_response"}
FIXED_VALUES_OF = {
    ("sqlbak_collection_failure", "reason"): REASONS,
    ("sqlbak_gateway_probes_total", "result"): {"fresh", "collected", "stale", "pending", "failed"},
    ("sqlbak_gateway_collections_total", "result"): {"success", "partial"} | REASONS,
    ("sqlbak_job_window_backups", "status"): {"succeeded", "failed", "other"},
}


def read():
    """{metric: (type, labels)}; a histogram stands for its _bucket, _sum and _count too."""
    text = HEADER.read_text(encoding="utf-8")
    lists = {name: re.findall(r'"(\w+)"', labels)
             for name, labels in re.findall(r"constexpr LabelNames (\w+)(?:\(([^)]*)\))?;", text)}
    metrics = {"up": ("gauge", set()), "ALERTS": ("gauge", {"alertname", "alertstate", "severity", "service", "scope"})}
    for name, kind, labels, listed in re.findall(
            r'\{"(\w+)",\s*(gauge|counter|histogram),\s*\w+,\s*\w+,\s*(?:LabelNames\(([^)]*)\)|(k\w+)),', text):
        own = set(lists[listed] if listed else re.findall(r'"(\w+)"', labels))
        metrics[name] = (kind, own)
        if kind == "histogram":
            metrics.update({name + "_bucket": ("counter", own | {"le"}), name + "_sum": ("counter", own),
                            name + "_count": ("counter", own)})
    if len(metrics) < 60:
        raise SystemExit(f"{HEADER}: only {len(metrics)} metrics found; has its form changed?")
    return metrics


PUBLISHED = {
    "sqlbak_server_online", "sqlbak_offline_servers_total", "sqlbak_jobruns_available", "sqlbak_jobsettings_available",
    "sqlbak_last_check_timestamp", "sqlbak_job_retention_days", "sqlbak_job_has_backups_older_than_policy",
    "sqlbak_job_last_success_age_hours", "sqlbak_job_backups_succeeded_total", "sqlbak_job_backups_failed_total",
    "sqlbak_job_backups_total", "sqlbak_job_summary",
}
