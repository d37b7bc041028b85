"""How is sqlbak-gateway itself?"""
from panels import (BLUE, COLOURED_TEXT, GREEN, ORANGE, PURPLE, RED, bars, dashboard, lines, now, query, stat, table,
                    texts, thresholds, variable)

UID = "sqlbak-gateway"
G = 'instance=~"$gateway"'
A = f'{G}, account=~"$account"'
RATE = "$__rate_interval"
YES_NO = texts({1: ("yes", GREEN), 0: ("no", RED)})


def rate(metric, selector, by=""):
    summed = f"sum by ({by}) " if by else "sum"
    return f"{summed}(rate({metric}{{{selector}}}[{RATE}]))"


def quantile(q, metric, selector, by=""):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(metric + '_bucket', selector, labels)})"


SECTIONS = [
    (None, [
        (stat("Version", "What runs.", [now(f"sqlbak_gateway_build_info{{{G}}}", "{{version}}")], text="name"), 3, 4),
        (stat("Up since", "Start of the process.", [now(f"1000 * max(process_start_time_seconds{{{G}}})")], unit="dateTimeFromNow"), 3, 4),
        (stat("Accounts", "Configured accounts.", [now(f"sum(sqlbak_gateway_accounts{{{G}}})")], steps=thresholds("text", (0, GREEN))), 3, 4),
        (stat("Not scraped", "Accounts that nobody has asked for in the last half hour.",
              [now(f"count(time() - sqlbak_gateway_account_last_probe_timestamp_seconds{{{A}}} > 1800)"
                   f" or 0 * count(sqlbak_gateway_account_last_probe_timestamp_seconds{{{A}}})")],
              steps=thresholds("text", (0, GREEN), (1, RED))), 3, 4),
        (stat("Reloaded", "Whether the last reload succeeded.", [now(f"min(sqlbak_gateway_config_last_reload_successful{{{G}}})")], mappings=YES_NO), 3, 4),
        (stat("Rejected", "Files of accounts_dir that were skipped.", [now(f"sum(sqlbak_gateway_config_files_rejected{{{G}}})")],
              steps=thresholds("text", (0, GREEN), (1, RED))), 3, 4),
        (stat("History", "Where finished runs are remembered.", [now(f"sqlbak_gateway_history_info{{{G}}}", "{{kind}}")], text="name"), 3, 4),
        (stat("Certificate", "When the server certificate expires.", [now(f"1000 * min(sqlbak_gateway_tls_certificate_expiry_timestamp_seconds{{{G}}})")],
              unit="dateTimeFromNow", none="no TLS"), 3, 4),
    ]),
    ("Probes and the cache", [
        (lines("Probes by result", "Fresh ones are answered from memory; the others waited for a collection or show old data.",
               [query(rate("sqlbak_gateway_probes_total", A, "result"), "{{result}}")], unit="reqps", stacked=True,
               colours={"fresh": GREEN, "collected": BLUE, "pending": PURPLE, "stale": ORANGE, "failed": RED}), 8, 8),
        (lines("Probe duration", "How long probes took, waiting included.",
               [query(quantile(q, "sqlbak_gateway_probe_duration_seconds", G), name) for q, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))],
               unit="s", fill=0), 8, 8),
        (stat("From memory", "Share of probes answered from memory at once.",
              [query(rate("sqlbak_gateway_probes_total", A + ', result="fresh"') + " / " + rate("sqlbak_gateway_probes_total", A))],
              unit="percentunit", decimals=1, spark=True, steps=thresholds(BLUE)), 4, 8),
        (stat("Unknown accounts", "Probes of accounts that are not configured, or not permitted, a second.",
              [query(rate("sqlbak_gateway_unknown_account_probes_total", G))], unit="reqps", decimals=2,
              steps=thresholds("text", (0, GREEN), (0.001, ORANGE))), 4, 8),
    ]),
    ("Collections", [
        (lines("Collections by result", "Completed collections in each interval, by result.",
               [query(f"sum by (result) (increase(sqlbak_gateway_collections_total{{{A}}}[{RATE}]))", "{{result}}")], unit="none",
               stacked=True, bars=True, decimals=0, colours={"success": GREEN, "partial": ORANGE, "auth": RED, "config": PURPLE}), 12, 8),
        (bars("Slowest collections", "Duration of the last collection: the ten slowest accounts.",
              [now(f"topk(10, sqlbak_gateway_collection_duration_seconds{{{A}}})", "{{account}}")], unit="s",
              steps=thresholds("text", (0, GREEN), (60, ORANGE), (600, RED))), 6, 8),
        (table("Last success by account", "Accounts whose last successful collection is over half an hour old, or never was.", [
            ("account", "Account", None, {}),
            (None, "Age", f"max by (account) (time() - sqlbak_gateway_account_last_success_timestamp_seconds{{{A}}} > 1800 < 1e9)",
             {"unit": "s", "decimals": 1, "noValue": "never", "thresholds": thresholds(ORANGE, (10800, RED)), "custom_cellOptions": COLOURED_TEXT, "custom_width": 100}),
            (None, "Never", f"max by (account) (sqlbak_gateway_account_last_success_timestamp_seconds{{{A}}} == 0)",
             {"mappings": texts({0: ("never", RED)}), "custom_cellOptions": COLOURED_TEXT, "custom_width": 70}),
        ], none="None", sort=[("Age", True)]), 6, 8),
    ]),
    ("SqlBak API", [
        (lines("Requests by endpoint", "Requests to the API, retries included.",
               [query(rate("sqlbak_gateway_api_requests_total", A, "endpoint"), "{{endpoint}}")], unit="reqps", stacked=True), 6, 8),
        (lines("Budget used", "Requests to the API of all accounts, as a share of the limit in [upstream].",
               [query(f"{rate('sqlbak_gateway_api_requests_total', G, 'instance')}"
                      f" / on (instance) max by (instance) (sqlbak_gateway_api_requests_limit_per_second{{{G}}})", "{{instance}}")],
               unit="percentunit", at_least=1, none="No limit"), 6, 8),
        (lines("Answers that are not 200", "By status code; also requests without any answer.",
               [query(rate("sqlbak_gateway_api_requests_total", A + ', code!="200"', "code"), "{{code}}")], unit="reqps", fill=30,
               none="None"), 6, 8),
        (lines("Latency by endpoint, 95 %", "How long requests to the API took.",
               [query(quantile(0.95, "sqlbak_gateway_api_request_duration_seconds", G, "endpoint"), "{{endpoint}}")], unit="s", fill=0), 6, 8),
        (lines("Retries", "Requests that were repeated, by account.",
               [query(f"topk(10, {rate('sqlbak_gateway_api_retries_total', A, 'account')} > 0)", "{{account}}")], unit="reqps", none="None"), 8, 7),
        (lines("Throttled", "Seconds spent waiting, a second, because the API asked to slow down.",
               [query(f"topk(10, {rate('sqlbak_gateway_api_throttled_seconds_total', A, 'account')} > 0)", "{{account}}")], unit="s", none="Never"), 8, 7),
        (table("Values the gateway does not know", "What the API sent that is counted as other or unknown.", [
            ("account", "Account", None, {}), ("field", "Field", None, {}),
            (None, "Since the start", f"max by (account, field) (sqlbak_gateway_unrecognised_values_total{{{A}}}) > 0", {"custom_width": 130}),
        ], none="None", sort=[("Since the start", True)]), 8, 7),
    ]),
    ("The process", [
        (lines("HTTP requests", "Requests to the gateway, by path and status code.",
               [query(rate("sqlbak_gateway_http_requests_total", G, "path, code"), "{{path}} {{code}}")], unit="reqps", stacked=True), 8, 8),
        (lines("Turned away", "Requests and connections refused before they were handled, by reason.",
               [query(rate("sqlbak_gateway_http_rejected_total", G, "reason"), "{{reason}}")], unit="reqps", fill=30, none="None"), 8, 8),
        (lines("History file", "Size of the history file.", [query(f"sqlbak_gateway_history_size_bytes{{{G}}}", "{{instance}}")], unit="bytes"), 4, 8),
        (lines("History errors", "Errors of the history file.", [query(f"sum(increase(sqlbak_gateway_history_errors_total{{{G}}}[{RATE}]))", "errors")], unit="none", decimals=0, at_least=1), 4, 8),
        (lines("CPU", "Processor time a second: 1 is one core.", [query(f"rate(process_cpu_seconds_total{{{G}}}[{RATE}])", "{{instance}}")], unit="percentunit"), 8, 7),
        (lines("Memory", "Resident memory.", [query(f"process_resident_memory_bytes{{{G}}}", "{{instance}}")], unit="bytes"), 8, 7),
        (lines("Files and threads", "Open file descriptors, and threads.",
               [query(f"process_open_fds{{{G}}}", "files {{instance}}"), query(f"process_threads{{{G}}}", "threads {{instance}}")], unit="none", fill=0), 8, 7),
    ]),
]


def build():
    return dashboard(
        uid=UID, title="SqlBak / Gateway", description="The gateway itself: probes, collections, API, and its own resources.",
        variables=[
            variable("gateway", "Gateway", "sqlbak_gateway_build_info", "instance"),
            variable("account", "Account", f"sqlbak_gateway_account_last_probe_timestamp_seconds{{{G}}}", "account"),
        ],
        sections=SECTIONS, time_from="now-24h",
        alerts='ALERTS{alertname=~"SqlBak.+", alertstate="firing", scope=~"gateway|collection"}')
