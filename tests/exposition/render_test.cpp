// The text: escaping, numbers, name modes, the cut at max_series, answers without data.
#include "sqlbak_gateway/exposition/render.h"

#include "evaluation/account_under_test.h"
#include "evaluation/random_account.h"
#include "exposition/parsed_exposition.h"
#include "sqlbak_gateway/exposition/catalogue.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::CollectionStatus;
using exposition::Format;
using exposition::Layout;
using exposition::NameMode;
using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using enum BackupType;

const std::vector<NameMode> kModes = {NameMode::seed, NameMode::clean, NameMode::both};

std::string rendered(const AccountUnderTest& account, const Format& format = {},
                     const CollectionStatus& status = {}, SystemTime at = kT,
                     const evaluation::Policy& policy = {}) {
  const auto prepared = account.prepared(policy);
  std::string text;
  exposition::render(Layout(prepared, format), evaluation::answer(prepared, at), status, text);
  return text;
}

ParsedExposition parsed(const std::string& text) {
  ParsedExposition parsed = parse_exposition(text);
  EXPECT_EQ(parsed.fault, "") << text;
  return parsed;
}

std::set<std::string> names(const ParsedExposition& exposition) {
  return {exposition.families.begin(), exposition.families.end()};
}

const Labels kNightlyFull = {{"server_name", "sql-1"},
                             {"job_name", "Nightly"},
                             {"job_id", "10"},
                             {"server_id", "1"},
                             {"backup_type", "full"}};

Labels with(Labels labels, const std::string& name, const std::string& value) {
  labels[name] = value;
  return labels;
}

AccountUnderTest one_job() {
  AccountUnderTest account;
  account.with_server("1", "sql-1");
  account.with(JobUnderTest().keeps(30).ran(
      {kept(full, days_ago(31)), succeeded(full, hours_ago(6)), failed(full, hours_ago(1))}));
  return account;
}

TEST(Render, WritesEachFamilyOnceWithHelpAndType) {
  const std::string text = rendered(one_job());
  EXPECT_THAT(text,
              HasSubstr("# HELP sqlbak_job_retention_days Days for which backups of the type are kept.\n"
                        "# TYPE sqlbak_job_retention_days gauge\n"
                        "sqlbak_job_retention_days{server_name=\"sql-1\",job_name=\"Nightly\",job_id=\"10\","
                        "server_id=\"1\",backup_type=\"full\"} 30\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "sqlbak_job_summary{row_key=\"sql-1|Nightly|full\",server_name=\"sql-1\",job_name=\"Nightly\","
          "job_id=\"10\",server_id=\"1\",backup_type=\"full\",metric=\"last_success_age_hours\"} 6\n"));
  parsed(text);
}

TEST(Render, SaysWhatWasFound) {
  const ParsedExposition exposition = parsed(rendered(one_job(), {NameMode::both}));
  EXPECT_EQ(exposition.value("sqlbak_server_online",
                             {{"server_id", "1"}, {"server_name", "sql-1"}, {"app_type", "sqlbak_windows"}}),
            1);
  EXPECT_EQ(exposition.value("sqlbak_job_backups_succeeded_total", kNightlyFull), 2);
  EXPECT_EQ(exposition.value("sqlbak_job_backups_failed_total", kNightlyFull), 1);
  EXPECT_EQ(exposition.value("sqlbak_job_backups_total", kNightlyFull), 3);
  EXPECT_EQ(exposition.value("sqlbak_job_last_success_age_hours", kNightlyFull), 6);
  EXPECT_EQ(exposition.value("sqlbak_job_has_backups_older_than_policy", kNightlyFull), 1);
  EXPECT_EQ(exposition.value("sqlbak_job_window_backups", with(kNightlyFull, "status", "failed")), 1);
  EXPECT_EQ(exposition.value("sqlbak_job_retention_seconds", kNightlyFull), 30 * kDay);
  EXPECT_EQ(exposition.value("sqlbak_job_window_seconds", kNightlyFull), 37 * kDay);
  EXPECT_EQ(exposition.value("sqlbak_job_last_success_timestamp_seconds", kNightlyFull),
            unix_seconds_of(hours_ago(6)));
  EXPECT_EQ(exposition.value("sqlbak_job_consecutive_failures", kNightlyFull), 1);
  EXPECT_EQ(exposition.value("sqlbak_jobs", {{"state", "failing"}}), 1);
  EXPECT_EQ(exposition.value("sqlbak_job_info", {{"server_name", "sql-1"},
                                                 {"job_name", "Nightly"},
                                                 {"job_id", "10"},
                                                 {"server_id", "1"},
                                                 {"job_type", ""},
                                                 {"enabled", ""}}),
            1);
}

TEST(Render, TellsASourceOfMaxAge) {
  const auto at_source = [](const evaluation::Policy& policy, const std::string& source) {
    AccountUnderTest account;
    account.with(JobUnderTest().succeeded_every(24, full, 5, 10));
    return parsed(rendered(account, {}, {}, kT, policy))
        .value("sqlbak_job_max_age_seconds", with(kNightlyFull, "source", source));
  };
  EXPECT_EQ(at_source({}, "inferred"), 36 * kHour);
  EXPECT_TRUE(std::isnan(at_source({}, "config")));
  EXPECT_EQ(at_source(allowing(full, hours(30)), "config"), 30 * kHour);
  EXPECT_TRUE(std::isnan(at_source(allowing(full, hours(30)), "inferred")));
}

// --- hostile text ---

TEST(Render, EscapesLabelsAndKeepsThemValidUtf8) {
  const std::string hostile = "a\"b\\c\nd\xff\xe2\x82{e=\"f\"} 1\n# TYPE x counter\xc3\xbc";
  AccountUnderTest account;
  account.with_server("1", hostile, hostile, hostile);
  account.with(JobUnderTest(hostile).named(hostile).on_server("1", hostile).of_type(hostile));
  const std::string text = rendered(account, {NameMode::both});
  const ParsedExposition exposition = parsed(text);
  const std::string mended = "a\"b\\c\nd\xef\xbf\xbd\xef\xbf\xbd{e=\"f\"} 1\n# TYPE x counter\xc3\xbc";
  EXPECT_EQ(exposition.value("sqlbak_job_retention_days", {{"server_name", mended},
                                                           {"job_name", mended},
                                                           {"job_id", mended},
                                                           {"server_id", "1"},
                                                           {"backup_type", "full"}}),
            0);
  EXPECT_EQ(exposition.value("sqlbak_servers", {{"status", mended}}), 1);
}

// --- numbers ---

TEST(Render, WritesNumbersThatReadBackTheSame) {
  const double huge = 123456789012345680000.0;
  AccountUnderTest account;
  account.with(JobUnderTest().took(full, ms_before_t(1.5), ms_before_t(0.25), huge));
  const std::string text = rendered(account, {}, {}, kT + milliseconds(1234));
  const ParsedExposition exposition = parsed(text);
  EXPECT_EQ(exposition.value("sqlbak_job_last_size_bytes", kNightlyFull), huge);
  EXPECT_EQ(exposition.value("sqlbak_job_last_duration_seconds", kNightlyFull), 1.25e-3);
  CollectionStatus status;
  status.last_success = kT + milliseconds(7);
  EXPECT_THAT(rendered(account, {}, status), HasSubstr("\nsqlbak_last_check_timestamp 1768392000.007\n"));
  status.last_success = kT;
  EXPECT_THAT(rendered(account, {}, status), HasSubstr("\nsqlbak_last_check_timestamp 1768392000\n"));
}

// --- the probe and its collections ---

TEST(Status, SaysHowCollectingGoes) {
  CollectionStatus status;
  status.succeeded = true;
  status.probe_duration = milliseconds(1500);
  status.last_success = kT;
  status.last_attempt = kT + hours(1);
  status.duration = milliseconds(250);
  status.api_requests = 60;
  status.in_progress = true;
  status.jobs_pending = 3;
  status.jobs_unreadable = 2;
  status.endpoints = {{"servers", true}, {"settings", false}};
  status.jobruns_available = true;
  const ParsedExposition exposition = parsed(rendered(one_job(), {}, status));
  EXPECT_EQ(exposition.value("probe_success"), 1);
  EXPECT_EQ(exposition.value("probe_duration_seconds"), 1.5);
  EXPECT_EQ(exposition.value("sqlbak_last_check_timestamp"), unix_seconds(kT));
  EXPECT_EQ(exposition.value("sqlbak_collection_last_success_timestamp_seconds"), unix_seconds(kT));
  EXPECT_EQ(exposition.value("sqlbak_collection_last_attempt_timestamp_seconds"), unix_seconds(kT) + 3600);
  EXPECT_EQ(exposition.value("sqlbak_collection_duration_seconds"), 0.25);
  EXPECT_EQ(exposition.value("sqlbak_collection_api_requests"), 60);
  EXPECT_EQ(exposition.value("sqlbak_collection_in_progress"), 1);
  EXPECT_EQ(exposition.value("sqlbak_collection_jobs_pending"), 3);
  EXPECT_EQ(exposition.value("sqlbak_collection_jobs_unreadable"), 2);
  EXPECT_EQ(exposition.value("sqlbak_collection_series_dropped"), 0);
  EXPECT_EQ(exposition.value("sqlbak_endpoint_up", {{"endpoint", "servers"}}), 1);
  EXPECT_EQ(exposition.value("sqlbak_endpoint_up", {{"endpoint", "settings"}}), 0);
  EXPECT_TRUE(std::isnan(exposition.value("sqlbak_endpoint_up", {{"endpoint", "me"}}))) << "it was not asked";
  EXPECT_EQ(exposition.value("sqlbak_jobruns_available"), 1);
  EXPECT_EQ(exposition.value("sqlbak_jobsettings_available"), 0);
}

TEST(Status, NamesTheReasonOfAFailure) {
  CollectionStatus status;
  status.failure = FailureReason::rate_limited;
  const ParsedExposition exposition = parsed(rendered(one_job(), {}, status));
  for (const FailureReason reason : kFailureReasons) {
    EXPECT_EQ(exposition.value("sqlbak_collection_failure", {{"reason", std::string(name(reason))}}),
              reason == FailureReason::rate_limited ? 1 : 0);
  }
}

TEST(Status, IsAllThereIsWithoutData) {
  std::string text;
  exposition::render(Format{}, CollectionStatus{}, 0, text);
  EXPECT_THAT(names(parsed(text)), ::testing::UnorderedElementsAre(
                                       "probe_success", "probe_duration_seconds", "sqlbak_jobruns_available",
                                       "sqlbak_jobsettings_available", "sqlbak_collection_in_progress",
                                       "sqlbak_collection_jobs_pending", "sqlbak_collection_jobs_unreadable",
                                       "sqlbak_collection_series_dropped", "sqlbak_collection_failure"));
  CollectionStatus stale;
  stale.last_success = kT - hours(48);
  text.clear();
  exposition::render(Format{}, stale, 7, text);
  EXPECT_EQ(parsed(text).value("sqlbak_last_check_timestamp"), unix_seconds(kT) - 48 * 3600) << "it stays";
  EXPECT_EQ(parsed(text).value("sqlbak_collection_series_dropped"), 7) << "it stays";
}

// --- name modes ---

TEST(Names, SeedAndCleanShareWhatOnlyTheGatewayHas) {
  std::map<NameMode, std::set<std::string>> families;
  for (const NameMode mode : kModes) families[mode] = names(parsed(rendered(one_job(), {mode})));
  std::set<std::string> either = families[NameMode::seed];
  either.insert(families[NameMode::clean].begin(), families[NameMode::clean].end());
  EXPECT_EQ(families[NameMode::both], either);
  for (const std::string& name : either) {
    const exposition::Offered offered = exposition::metric(name).offered;
    EXPECT_EQ(families[NameMode::seed].contains(name), offered != exposition::Offered::clean) << name;
    EXPECT_EQ(families[NameMode::clean].contains(name), offered != exposition::Offered::seed) << name;
  }
}

TEST(Names, CleanHasNoSentinel) {
  AccountUnderTest account;
  account.with(JobUnderTest());
  EXPECT_THAT(rendered(account, {NameMode::seed}), HasSubstr("} -1\n"));
  EXPECT_THAT(rendered(account, {NameMode::clean}), Not(HasSubstr("} -1\n")));
}

TEST(Names, TheSummaryCanBeLeftOut) {
  EXPECT_TRUE(parsed(rendered(one_job(), {NameMode::seed, true})).has("sqlbak_job_summary"));
  EXPECT_FALSE(parsed(rendered(one_job(), {NameMode::seed, false})).has("sqlbak_job_summary"));
  EXPECT_FALSE(parsed(rendered(one_job(), {NameMode::clean, true})).has("sqlbak_job_summary"));
}

// --- max_label_bytes ---

TEST(LabelBytes, NoValueIsLonger) {
  const std::string name(5000, 'x');
  AccountUnderTest account;
  account.with_server("1", name, "online");
  account.with(JobUnderTest("10").named(name).keeps(30).ran({succeeded(full, hours_ago(6))}));
  for (const NameMode mode : kModes) {
    Format format{mode};
    const ParsedExposition exposition = parsed(rendered(account, format));
    format.max_label_bytes = 200;
    const ParsedExposition shorter = parsed(rendered(account, format));
    EXPECT_EQ(shorter.samples.size(), exposition.samples.size());
    const auto longest = [](const ParsedExposition& of) {
      std::size_t bytes = 0;
      for (const auto& [series, value] : of.samples) {
        for (const auto& [label, text] : series.labels) bytes = std::max(bytes, text.size());
      }
      return bytes;
    };
    EXPECT_EQ(longest(exposition), 1000u);
    EXPECT_EQ(longest(shorter), 200u);
  }
}

TEST(LabelBytes, CutNamesStayDifferent) {
  const std::string name(5000, 'x');
  AccountUnderTest account;
  for (const std::string id : {"1", "2"}) account.with_server(id, name + id, "online");
  for (const std::string id : {"1", "2"}) account.with(JobUnderTest(id).named(name + id).keeps(30));
  const ParsedExposition exposition = parsed(rendered(account));
  std::set<std::string> server_names;
  std::set<std::string> job_names;
  std::set<std::string> row_keys;
  for (const auto& [series, value] : exposition.samples) {
    if (series.name == "sqlbak_server_online") server_names.insert(series.labels.at("server_name"));
    if (series.name == "sqlbak_job_info") job_names.insert(series.labels.at("job_name"));
    if (series.name == "sqlbak_job_summary") row_keys.insert(series.labels.at("row_key"));
  }
  EXPECT_EQ(server_names.size(), 2u);
  EXPECT_EQ(job_names.size(), 2u);
  EXPECT_EQ(row_keys.size(), 2u);
}

TEST(LabelBytes, ThoseThatFitAreExact) {
  const std::string name(1000, 'x');
  AccountUnderTest account;
  account.with(JobUnderTest("10").named(name).keeps(30));
  EXPECT_THAT(rendered(account), HasSubstr("job_name=\"" + name + "\""));
}

TEST(LabelBytes, ReplacedBytesCount) {
  AccountUnderTest account;
  account.with(JobUnderTest("10").named(std::string(500, '\xff')));
  for (const auto& [series, value] : parsed(rendered(account)).samples) {
    for (const auto& [label, text] : series.labels) EXPECT_LE(text.size(), 1000u) << label;
  }
}

// --- max_series ---

std::set<std::string> job_ids(const ParsedExposition& exposition) {
  std::set<std::string> ids;
  for (const auto& [series, value] : exposition.samples) {
    if (series.labels.contains("job_id")) ids.insert(series.labels.at("job_id"));
  }
  return ids;
}

TEST(MaxSeries, CutsTheLastJobsAndSaysHowMuch) {
  AccountUnderTest account;
  AccountUnderTest reversed;
  for (int id = 1; id <= 50; ++id) {
    account.with(JobUnderTest(std::to_string(id)));
    reversed.with(JobUnderTest(std::to_string(51 - id)));
  }
  for (const NameMode mode : kModes) {
    const ParsedExposition whole = parsed(rendered(account, {mode, true, 50000}));
    EXPECT_EQ(whole.value("sqlbak_collection_series_dropped"), 0);
    const std::string text = rendered(account, {mode, true, 300});
    const ParsedExposition cut = parsed(text);
    EXPECT_LE(cut.samples.size(), 300u);
    EXPECT_GT(cut.samples.size(), 230u) << "no more than a few of its own series and a row are kept free";
    EXPECT_EQ(static_cast<double>(cut.samples.size()) + cut.value("sqlbak_collection_series_dropped"),
              static_cast<double>(whole.samples.size()));
    EXPECT_EQ(rendered(reversed, {mode, true, 300}), text) << "whatever the order of the API";
    const std::set<std::string> ids = job_ids(cut);
    for (std::size_t id = 1; id <= ids.size(); ++id) EXPECT_TRUE(ids.contains(std::to_string(id))) << id;
    EXPECT_EQ(cut.value("sqlbak_jobs", {{"state", "unknown"}}), 50) << "the counts are whole";
  }
}

TEST(MaxSeries, BoundsServersAndStatuses) {
  AccountUnderTest account;
  for (int id = 1; id <= 300; ++id) {
    account.with_server(std::to_string(id), "sql", "status " + std::to_string(id % 150));
  }
  account.with(JobUnderTest());
  for (const NameMode mode : kModes) {
    const ParsedExposition whole = parsed(rendered(account, {mode, true, 50000}));
    for (const std::size_t most : {100u, 400u}) {
      const ParsedExposition cut = parsed(rendered(account, {mode, true, most}));
      EXPECT_LE(cut.samples.size(), most);
      EXPECT_EQ(static_cast<double>(cut.samples.size()) + cut.value("sqlbak_collection_series_dropped"),
                static_cast<double>(whole.samples.size()));
      EXPECT_TRUE(job_ids(cut).empty());
      EXPECT_EQ(cut.value("sqlbak_server_online",
                          {{"server_id", "1"}, {"server_name", "sql"}, {"app_type", "sqlbak_windows"}}),
                0);
      EXPECT_EQ(cut.value("sqlbak_servers", {{"status", "online"}}), 0) << "what every account has stays";
    }
  }
}

TEST(MaxSeries, LeavesWhatEveryAccountHasAlone) {
  const ParsedExposition exposition = parsed(rendered(one_job(), {NameMode::seed, true, 1}));
  EXPECT_TRUE(job_ids(exposition).empty());
  EXPECT_FALSE(exposition.has("sqlbak_server_online"));
  EXPECT_TRUE(exposition.has("probe_success"));
  EXPECT_EQ(exposition.value("sqlbak_servers", {{"status", "online"}}), 1);
  EXPECT_EQ(exposition.value("sqlbak_jobs", {{"state", "failing"}}), 1);
}

// --- every account ---

TEST(Render, OfAnyAccountIsWellFormedInEveryMode) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    const auto prepared = std::make_shared<const evaluation::PreparedAccount>(
        evaluation::prepare(std::make_shared<const Snapshot>(RandomAccount(seed).snapshot()), {}));
    for (const NameMode mode : kModes) {
      std::string text = "kept\n";
      const Layout layout(prepared, {mode});
      exposition::render(layout, evaluation::answer(prepared, kT), {}, text);
      ASSERT_TRUE(text.starts_with("kept\n")) << "what was there stays";
      const ParsedExposition exposition = parsed(text.substr(5));
      for (const auto& [family, type] : exposition.types) ASSERT_EQ(type, "gauge") << family;
    }
  }
}

}  // namespace
}  // namespace sqlbak_gateway::testing
