#include "exposition/accounts.h"

#include "evaluation/schedules.h"

#include <chrono>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::CollectionStatus;
using evaluation::Override;
using evaluation::Policy;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using enum BackupType;

CollectionStatus well() {
  CollectionStatus status;
  status.succeeded = true;
  status.probe_duration = milliseconds(2);
  status.last_success = status.last_attempt = kT;
  status.duration = milliseconds(430);
  status.api_requests = 60;
  status.endpoints = {{"me", true},       {"servers", true}, {"jobs", true},
                      {"settings", true}, {"jobruns", true}, {"jobrun_details", true}};
  status.jobruns_available = status.jobsettings_available = true;
  return status;
}

NamedAccount named(std::string name, const AccountUnderTest& account, const Policy& policy = {},
                   const CollectionStatus& status = well()) {
  // Answers come 90 s after the collection began.
  return {std::move(name), account.prepared(policy), status, kT + seconds(90), 50000};
}

// A full backup every evening, a log backup every four hours, two weeks of both kept.
NamedAccount healthy() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "sql-2", "online", "sqlbak_linux").suspended(false);
  account.with(JobUnderTest("10")
                   .enables({full, log})
                   .keeps(14, 14)
                   .of_type("backup")
                   .switched(true)
                   .succeeded_every(24, full, 16, 20)
                   .succeeded_every(4, log, 1, 120)
                   .backed_up("erp", full, hours_ago(16), EntryStatus::succeeded)
                   .took(full, hours_ago(16), hours_ago(15.75), 52'428'800)
                   .took(log, hours_ago(1), hours_ago(0.99), 65'536));
  account.with(JobUnderTest("11")
                   .named("Archive")
                   .on_server("2", "sql-2")
                   .keeps(60)
                   .succeeded_every(24 * 7, full, 60, 9));
  return named("healthy", account);
}

NamedAccount failing() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "sql-2", "offline");
  account.with(JobUnderTest("10")
                   .succeeded_every(24, full, 64, 8)
                   .ran({failed(full, hours_ago(40)), run(full, hours_ago(16), 2, 1, 0)})
                   .backed_up("erp", full, hours_ago(16), EntryStatus::failed)
                   .backed_up("crm", full, hours_ago(16), EntryStatus::succeeded)
                   .backed_up("web", full, hours_ago(16), EntryStatus::succeeded));
  return named("failing", account);
}

// One late by configuration, one by its own past, one that never succeeded and one whose files should be
// gone.
NamedAccount late() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "sql-2", "disconnected");
  account.with(JobUnderTest("10")
                   .enables({full, log})
                   .ran({succeeded(full, hours_ago(16)), succeeded(log, hours_ago(2.5))}));
  account.with(JobUnderTest("11")
                   .named("Weekly")
                   .on_server("2", "sql-2")
                   .keeps(60)
                   .succeeded_every(24 * 7, diff, 24 * 9, 8)
                   .enables({diff}));
  account.with(JobUnderTest("12").named("Never").remembers(since(days_ago(20))));
  account.with(JobUnderTest("13")
                   .named("Kept too long")
                   .keeps(7)
                   .ran({kept(full, days_ago(9)), succeeded(full, hours_ago(16))}));
  Policy policy = allowing(full, hours(36));
  policy.max_age.of(log) = hours(2);
  return named("late", account, policy);
}

NamedAccount weekdays_only() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with(every_weekday_evening(4).keeps(30));
  return named("weekdays_only", account);
}

NamedAccount office_hours() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with(office_hours_logs(2).keeps(0, 14));
  return named("office_hours_logs", account);
}

// Collected for the first time: its first job has been read, and has run twice.
NamedAccount brand_new() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_pending_jobs(2);
  account.with(JobUnderTest("10").ran(
      {succeeded(full, hours_ago(40)), succeeded(full, hours_ago(16)), running(full, hours_ago(0.1))}));
  CollectionStatus status = well();
  status.succeeded = status.jobruns_available = false;
  status.last_success.reset();
  status.duration.reset();
  status.api_requests.reset();
  status.in_progress = true;
  status.jobs_pending = 2;
  return named("brand_new", account, {}, status);
}

NamedAccount paused() {
  AccountUnderTest account;
  account.with_server("1", "sql-1");
  account.with(JobUnderTest("10").of_type("backup").switched(false).ran(succeeded(full, days_ago(6))));
  account.with(JobUnderTest("11").named("Reindex").of_type("maintenance").switched(true));
  return named("paused", account, allowing(full, hours(36)));
}

NamedAccount folders_only() {
  AccountUnderTest account;
  account.with_server("1", "files-1");
  account.with(JobUnderTest("10")
                   .named("Documents")
                   .on_server("1", "files-1")
                   .enables({folder})
                   .succeeded_every(24, folder, 16, 7));
  return named("folders_only", account);
}

NamedAccount decommissioned_server() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "old-sql", "offline");
  account.with(JobUnderTest("10").succeeded_every(24, full, 16, 8));
  account.with(JobUnderTest("11").named("Old").on_server("2", "old-sql").ran(failed(full, days_ago(6))));
  Policy policy = allowing(full, hours(36));
  policy.servers = {Override{"old-sql", true, {}}};
  return named("decommissioned_server", account, policy);
}

// The API has been down for five hours: the last good data, ages that went on growing, and nothing that
// became late.
NamedAccount api_outage() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with(JobUnderTest("10").ran(succeeded(full, hours_ago(34))));
  CollectionStatus status = well();
  status.succeeded = false;
  status.last_attempt = kT + hours(5);
  status.failure = FailureReason::upstream_error;
  status.api_requests = 4;
  status.endpoints = {{"me", false}, {"servers", false}};
  NamedAccount outage = named("api_outage", account, allowing(full, hours(36)), status);
  outage.answered_at = kT + hours(5);
  return outage;
}

// One job without settings, one without runs, one without either.
NamedAccount partly_unreadable() {
  AccountUnderTest account;
  account.with_server("1", "sql-1");
  account.with(JobUnderTest("10").without_settings().ran(
      {succeeded(full, hours_ago(16)), succeeded(log, hours_ago(1))}));
  account.with(JobUnderTest("11").named("Weekly").keeps(30).without_runs());
  account.with(JobUnderTest("12").named("Other").without_settings().without_runs());
  CollectionStatus status = well();
  status.jobs_unreadable = 3;
  status.jobruns_available = status.jobsettings_available = false;
  status.endpoints = {{"servers", true}, {"jobs", true}, {"settings", false}, {"jobruns", false}};
  return named("partly_unreadable", account, allowing(full, hours(36)), status);
}

// More than max_series: all but the first jobs are cut.
NamedAccount huge() {
  AccountUnderTest account;
  account.with_server("1", "sql-1");
  for (int id = 1; id <= 300; ++id)
    account.with(JobUnderTest(std::to_string(id)).ran(succeeded(full, hours_ago(16))));
  NamedAccount huge = named("huge", account, allowing(full, hours(36)));
  huge.max_series = 100;
  return huge;
}

NamedAccount hostile_text() {
  AccountUnderTest account;
  account.with_server("1", "a \"quoted\" name", "on\nline", "back\\slash");
  account.with_server("2", "broken \xff\xc3 bytes", "offline", "{x=\"y\"} 1");
  account.with(
      JobUnderTest("10\" evil=\"1").named("# TYPE evil counter\nevil 1\n").on_server("2", "pipe|and\ttab"));
  return named("hostile_text", account);
}

NamedAccount no_data() {
  CollectionStatus status = well();
  status.succeeded = status.jobruns_available = status.jobsettings_available = false;
  status.last_success = kT - hours(48);
  status.failure = FailureReason::auth;
  status.endpoints = {{"me", false}};
  return {"no_data", nullptr, status, kT, 50000};
}

}  // namespace

std::vector<NamedAccount> hand_written_accounts() {
  return {healthy(),
          failing(),
          late(),
          weekdays_only(),
          office_hours(),
          brand_new(),
          paused(),
          folders_only(),
          decommissioned_server(),
          api_outage(),
          partly_unreadable(),
          huge(),
          hostile_text(),
          no_data()};
}

std::string exposition_of(const NamedAccount& account, exposition::NameMode mode) {
  const exposition::Format format{mode, true, account.max_series};
  std::string text;
  if (!account.account) {
    exposition::render(format, account.status, 0, text);
  } else {
    exposition::render(exposition::Layout(account.account, format),
                       evaluation::answer(account.account, account.answered_at), account.status, text);
  }
  return text;
}

}  // namespace sqlbak_gateway::testing
