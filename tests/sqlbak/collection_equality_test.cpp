// Remembering never changes an answer: whatever happened to an account before, a collection during which the
// API does not change gives the metrics that the simulator's truth demands. The histories are random, with
// every way in which the real API may turn out to behave, with restarts, and with collections that are
// disturbed, fail or are given up.
#include "history/remembered_account.h"
#include "simulator/simulator.h"
#include "simulator/truth.h"
#include "sqlbak/endpoints.h"
#include "sqlbak_gateway/evaluation/prepared.h"
#include "sqlbak_gateway/exposition/render.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "support/collecting.h"
#include "support/manual_clock.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak {
namespace {

using simulator::Account;
using simulator::Days;
using simulator::Hours;
using simulator::Id;
using simulator::Random;
using simulator::Series;
using sqlbak_gateway::testing::ManualClock;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr const char* kToken = "token";

struct TestedJob {
  Id id;
  std::size_t runs;  // about so many in its window
};

// One history. The seed determines all of it.
class History {
  template <typename Change>
  auto with(Change change) {
    return simulator_.with([&](simulator::World& world) { return change(world.account("acme")); });
  }

 public:
  explicit History(std::uint64_t seed)
      : random_(Random::of({seed, 0xe9})),
        clock_(ManualClock::kStart),
        big_(random_.happens(0.08)),
        knobs_(knobs()),
        simulator_(world(), clock_, knobs_) {
    first_collected_at_ = clock_.system_now();
    initial_jobs_ = with([](Account& account) {
      std::set<std::string> ids;
      for (const auto& [id, job] : account.jobs()) ids.insert(std::to_string(id));
      return ids;
    });
  }

  // Empty if every undisturbed collection told the truth; else the difference, and the story that led to it.
  std::string run() {
    note("knobs:" + knobs_text_);
    if (std::string wrong = collect_undisturbed(); !wrong.empty()) return report(wrong);
    const std::size_t steps = 4 + random_.below(6);
    for (std::size_t step = 0; step < steps; ++step) {
      advance();
      for (std::size_t i = random_.below(4); i > 0; --i)
        note(with([&](Account& account) { return change(account); }));
      if (random_.happens(0.3)) collect_disturbed();
      if (random_.happens(0.2)) restart();
      catch_up();
      if (std::string wrong = collect_undisturbed(); !wrong.empty()) return report(wrong);
    }
    return "";
  }

 private:
  simulator::World world() {
    const SystemTime now = clock_.system_now();
    auto account = std::make_unique<Account>("acme", kToken, now - Days(9), random_.next());
    const std::size_t servers = 1 + random_.below(2);
    for (std::size_t i = 0; i < servers; ++i)
      account->add_server({.name = "server-" + std::to_string(i + 1)});
    const std::size_t jobs = 1 + random_.below(2);
    for (std::size_t i = 0; i < jobs; ++i) account->add_job(job(i, now));
    account->advance_to(now);
    simulator::World world;
    world.add(std::move(account));
    return world;
  }

  simulator::Job job(std::size_t index, SystemTime now) {
    static const std::vector<std::vector<std::string>> kPatterns = {
        {"database_full"},
        {"database_full", "database_differential"},
        {"database_full", "database_transaction_log", "database_transaction_log"},
        {"database_incremental"},
        {"folder", "database_full"},
        {"database_something"},
    };
    simulator::Job job;
    job.name = "job-" + std::to_string(index + 1);
    job.server_id = 1;
    const auto& pattern = kPatterns[random_.below(kPatterns.size())];
    job.types = pattern;
    job.destinations = {{"S3", 0, static_cast<int>(random_.below(8)), 0, static_cast<int>(random_.below(5))}};
    job.databases = {"erp"};
    if (random_.happens(0.5)) job.databases.push_back("crm");
    const milliseconds every =
        big_ && index == 0 ? milliseconds(minutes(40)) : milliseconds(Hours(6 + random_.below(24)));
    job.cadences = {{now - Days(9) + minutes(random_.below(600)), every, pattern}};
    // If no end is shown, a run that stands still for an hour is taken to be finished. So none of these does.
    job.duration =
        minutes(3 + random_.below(std::min<std::size_t>(200, static_cast<std::size_t>(every / minutes(2)))));
    job.failure_rate = random_.happens(0.5) ? 0.2 : 0;
    job.oddity_rate = random_.happens(0.3) ? 0.2 : 0;
    odd_ = odd_ || job.oddity_rate > 0;
    job.enforces_retention = random_.happens(0.7);
    if (random_.happens(0.2)) job.stopped_since = now + Days(random_.below(3));
    return job;
  }

  simulator::Knobs knobs() {
    simulator::Knobs knobs = simulator::random_knobs(random_);
    static constexpr std::size_t kPageSizes[] = {100, 100, 7, 3};
    if (!big_) knobs.page_size = kPageSizes[random_.below(4)];
    knobs_text_ = std::string(knobs.finished_at ? " finished_at" : "") + (knobs.total ? " total" : "") +
                  (knobs.ids_as_text ? " ids_as_text" : "") + (knobs.named_runs ? " named_runs" : "") +
                  (knobs.me ? " me" : "") + (big_ ? " (big)" : "") +
                  " page_size=" + std::to_string(knobs.page_size) +
                  " granularity=" + std::to_string(knobs.filter_granularity.count()) +
                  (knobs.filter_rounds_up ? " up" : " down") +
                  " order=" + std::to_string(static_cast<int>(knobs.order)) +
                  " skew=" + std::to_string(knobs.clock_skew.count());
    return knobs;
  }

  void advance() {
    static constexpr int kMinutes[] = {1, 5, 5, 5, 20, 20, 61, 61, 200, 700, 1500, 4000};
    const minutes by(kMinutes[random_.below(std::size(kMinutes))] + static_cast<int>(random_.below(3)));
    clock_.advance(by);
    note("after " + std::to_string(by.count()) + " minutes");
  }

  // In windows of more than two pages, runs that appear late or vanish may be noticed up to as many
  // collections later as there are pages.
  void catch_up() {
    if (!std::exchange(lags_, false)) return;
    const std::size_t pages = with([](Account& account) { return account.run_count(); }) / kPageSize + 1;
    for (std::size_t lag = pages > 2 ? pages : 0; lag > 0; --lag) static_cast<void>(collect(undisturbed()));
  }

  // A run that started within the last days, so that it is inside every window; null if there is none.
  simulator::Run* recent_run(simulator::Job& job) {
    std::vector<simulator::Run*> recent;
    for (simulator::Run& run : job.runs) {
      if (!run.removed && (!run.started_at || clock_.system_now() - *run.started_at < Days(5)))
        recent.push_back(&run);
    }
    if (recent.empty()) return nullptr;
    const auto undated =
        std::find_if(recent.begin(), recent.end(), [](const auto* run) { return !run->started_at; });
    if (undated != recent.end() && random_.happens(0.5)) return *undated;
    return recent[random_.below(recent.size())];
  }

  // What an API may do between two collections.
  std::string change(Account& account) {
    if (account.jobs().empty() || random_.happens(0.3)) {
      std::string what = account.mutate(random_, false);
      retention_changed_ =
          retention_changed_ || what.find("retention") != what.npos || what.find("switched") != what.npos;
      return what;
    }
    const auto nth = static_cast<std::ptrdiff_t>(random_.below(account.jobs().size()));
    simulator::Job& job = account.job(std::next(account.jobs().begin(), nth)->first);
    // Large windows mostly get changes that must show at once.
    const std::size_t kind = big_ && random_.happens(0.7) ? 5 + random_.below(2) : random_.below(7);
    if (kind == 0) {
      lags_ = true;
      // It never starts together with another run.
      const auto age =
          minutes(10 + random_.below(std::size_t{5} * 24 * 60)) + milliseconds(1 + random_.below(50'000));
      simulator::HandRun run{.type = job.types.empty() ? "database_full" : job.types.front()};
      if (random_.happens(0.3)) {
        run.status = "failed";
        run.size = 0;
      }
      return "late run " + std::to_string(account.add_run(job.id, clock_.system_now() - age, run));
    }
    if (kind == 1) {
      return "run without a start " + std::to_string(account.add_run(job.id, std::nullopt));
    }
    simulator::Run* run = recent_run(job);
    if (!run) return "nothing";
    const std::string which = "run " + std::to_string(run->id) + " of job " + std::to_string(job.id);
    if (kind <= 3) lags_ = lags_ || run->started_at;
    switch (kind) {
      case 2:
        run->removed = true;
        lost_.insert(std::to_string(job.id));
        return which + " removed";
      case 3:
        run->unlisted = !run->unlisted;
        if (run->unlisted) lost_.insert(std::to_string(job.id));
        return which + (run->unlisted ? " unlisted" : " listed again");
      case 4: {
        // An unknown status does not become final by an end.
        for (simulator::Entry& entry : run->entries) {
          const std::string& status = account.words().text(entry.status);
          const bool odd = status == "warning" || status == "cancelled";
          const bool young = run->started_at && clock_.system_now() - *run->started_at < Hours(48);
          if (odd && young) entry.status = account.word("succeeded");
        }
        return which + " is decided";
      }
      default: {
        // The oldest files go first, as a service would do it. The youngest stay.
        std::size_t count = random_.below(job.runs.size());
        for (simulator::Run& old : job.runs) {
          if (count-- == 0) break;
          for (simulator::Entry& entry : old.entries) {
            for (simulator::Upload& upload : entry.uploads) {
              upload.deleted = static_cast<std::uint8_t>((1u << upload.files) - 1u);
            }
          }
        }
        return "old files of job " + std::to_string(job.id) + " deleted";
      }
    }
  }

  sqlbak_gateway::testing::Drive undisturbed() { return {.seed = random_.next(), .before_answer = {}}; }

  CollectionOutcome collect(const sqlbak_gateway::testing::Drive& how) {
    CollectionPlan plan;
    plan.started_at = clock_.system_now();
    plan.settings_ttl = Duration::zero();
    plan.lookback = Hours(48);
    plan.first_reach = [](const Job&) { return 2 * Duration(Hours(30)); };
    Collection collection(plan, memory_);
    sqlbak_gateway::testing::drive(collection, simulator_, kToken, clock_, how);
    CollectionOutcome outcome = collection.finish();
    memory_ = outcome.memory;
    return outcome;
  }

  // Another process continues with what this one wrote down.
  void restart() {
    note("a restart");
    memory_ = history::testing::reread(*memory_);
  }

  // The API changes while it is read, fails here and there, or the collection is given up halfway.
  void collect_disturbed() {
    auto how = undisturbed();
    std::uint64_t fault = 0;
    const std::uint64_t at = random_.below(40);
    const std::size_t kind = random_.below(5);
    if (kind == 0) {
      note("a collection given up after " + std::to_string(at) + " answers");
      how.before_answer = [at](std::uint64_t answers) { return answers < at; };
    } else if (kind == 1) {
      static constexpr const char* kFaults[] = {"endpoint=jobrun_details,status=500,every=3",
                                                "endpoint=jobruns,status=500,every=2",
                                                "endpoint=settings,status=500,probability=0.5",
                                                "endpoint=jobs,status=500",
                                                "endpoint=jobruns,shift=1",
                                                "endpoint=jobruns,shift=-1",
                                                "endpoint=jobrun_details,body=malformed,every=4"};
      const char* rule = kFaults[random_.below(std::size(kFaults))];
      note(std::string("a collection with ") + rule);
      // Without a total, a run that was never seen may slip between two pages unnoticed.
      lags_ = lags_ || std::string_view(rule).find("shift") != std::string_view::npos;
      const Result<std::uint64_t> added = simulator_.add_fault(rule);
      EXPECT_TRUE(added.ok()) << (added ? "" : added.error().message);
      fault = added ? *added : 0;
    } else {
      note("a collection disturbed after " + std::to_string(at) + " answers:");
      how.before_answer = [this, at, kind](std::uint64_t answers) {
        if (answers != at) return true;
        if (kind == 2) clock_.advance(minutes(45));
        note("  " + with([&](Account& account) { return change(account); }));
        return true;
      };
    }
    static_cast<void>(collect(how));
    if (fault != 0) simulator_.remove_fault(fault);
  }

  std::string collect_undisturbed() {
    const SystemTime at = clock_.system_now();
    note("a collection at " + std::to_string(at.time_since_epoch().count()));
    const CollectionOutcome outcome = collect(undisturbed());
    if (outcome.failure) return "the collection failed: " + outcome.failure->message;
    if (outcome.audit_changes > 0) return "the audit found a change where there was none";
    const SystemTime answered = at + minutes(random_.below(10));

    evaluation::Policy policy;
    policy.lookback = Hours(48);
    policy.max_age.of(BackupType::full) = Hours(30);
    auto account =
        std::make_shared<const evaluation::PreparedAccount>(evaluation::prepare(outcome.snapshot, policy));
    const exposition::Layout layout(account, {});
    std::string text;
    evaluation::CollectionStatus status;
    status.jobruns_available = outcome.snapshot->jobruns_available;
    status.jobsettings_available = outcome.snapshot->jobsettings_available;
    exposition::render(layout, evaluation::answer(account, answered), status, text);
    const Result<Series> seen = simulator::parse_exposition(text);
    if (!seen) return seen.error().message;
    return difference(*seen, at, answered);
  }

  std::string difference(const Series& seen, SystemTime at, SystemTime answered) {
    simulator::Question question{at, answered, Hours(48), {{"full", Hours(30)}}, first_collected_at_};
    const auto truth = [&](const simulator::Question& asked) {
      return with([&](Account& account) {
        Series series = simulator::published_truth(account, knobs_, asked);
        series.merge(simulator::own_truth(account, knobs_, asked));
        return series;
      });
    };
    const Series expected = truth(question);
    if (simulator::difference(decided(expected), decided(seen)).empty()) return "";
    question.first_collected_at = at;
    const Series kept = truth(question);  // as if only what is still kept had ever been known
    return simulator::difference(without_kept(decided(expected), kept, seen),
                                 without_kept(decided(seen), kept, seen));
  }

  Series decided(const Series& series) const {
    Series decided;
    for (const auto& [key, value] : series) {
      if (is_decided(key)) decided[key] = value;
    }
    return decided;
  }
  static Series without_kept(const Series& series, const Series& kept, const Series& seen) {
    Series others;
    for (const auto& [key, value] : series) {
      if (!as_kept(key, kept, seen)) others[key] = value;
    }
    return others;
  }

  // Whether the truth decides the series. It knows when runs end even if the API does not say so, and it
  // treats a retention that was raised lately as if it had always been that high.
  bool is_decided(const std::string& key) const {
    const std::string name = key.substr(0, key.find('{'));
    static const std::set<std::string> kAboutTheReader = {
        "probe_success", "probe_duration_seconds", "sqlbak_job_expected_interval_seconds",
        "sqlbak_jobs",   "sqlbak_endpoint_up",     "sqlbak_last_check_timestamp"};
    if (kAboutTheReader.contains(name) || name.starts_with("sqlbak_collection_")) return false;
    if (key.find("source=\"inferred\"") != key.npos) return false;
    static const std::set<std::string> kOnFinished = {
        "sqlbak_job_last_attempt_success", "sqlbak_job_consecutive_failures", "sqlbak_job_databases_failing"};
    // In the truth, entries that neither succeeded nor failed have a size, too.
    if (odd_ && name == "sqlbak_job_last_size_bytes") return false;
    if (!knobs_.finished_at && kOnFinished.contains(name)) return false;
    static const std::set<std::string> kRemembered = {
        "sqlbak_job_last_success_timestamp_seconds", "sqlbak_job_last_attempt_timestamp_seconds",
        "sqlbak_job_last_attempt_success", "sqlbak_job_consecutive_failures"};
    if (retention_changed_ && kRemembered.contains(name)) return false;
    // What a vanished run came to stays known if it was read before it vanished. The truth knows nothing of
    // such runs.
    static const std::set<std::string> kOutlivesRuns = {
        "sqlbak_job_last_duration_seconds", "sqlbak_job_last_size_bytes", "sqlbak_job_databases_failing",
        "sqlbak_job_retention_violation",   "sqlbak_job_overdue",         "sqlbak_job_window_seconds",
        "sqlbak_job_max_age_seconds"};
    if (lost_.contains(job_of(key)) && (kRemembered.contains(name) || kOutlivesRuns.contains(name))) {
      return false;
    }
    if (name == "sqlbak_job_overdue") {
      if (retention_changed_) return false;
      // A job that is added later was made before it was first seen. And only `full` has a configured
      // maximum.
      if (!initial_jobs_.contains(job_of(key))) return false;
      return key.find("backup_type=\"full\"") != key.npos;
    }
    return true;
  }

  static std::string job_of(const std::string& key) {
    const std::size_t id = key.find("job_id=\"") + 8;
    return key.substr(id, key.find('"', id) - id);
  }

  // Series that only depend on the runs that are kept.
  static bool as_kept(const std::string& key, const Series& kept, const Series& seen) {
    static const std::set<std::string> kOfKeptRuns = {
        "sqlbak_job_databases_failing", "sqlbak_job_last_duration_seconds", "sqlbak_job_last_size_bytes",
        "sqlbak_job_retention_violation"};
    if (!kOfKeptRuns.contains(key.substr(0, key.find('{')))) return false;
    const auto a = kept.find(key);
    const auto b = seen.find(key);
    if (a == kept.end()) return true;
    return b != seen.end() && a->second == b->second;
  }

  void note(const std::string& line) { story_ += line + "\n"; }
  std::string report(const std::string& wrong) const { return story_ + "  " + wrong; }

  Random random_;
  ManualClock clock_;
  const bool big_;
  bool odd_ = false;
  bool lags_ = false;
  bool retention_changed_ = false;
  std::set<std::string> lost_;  // jobs of which runs have vanished
  std::string knobs_text_;
  const simulator::Knobs knobs_;
  simulator::Simulator simulator_;
  std::shared_ptr<const AccountMemory> memory_;
  SystemTime first_collected_at_{};
  std::set<std::string> initial_jobs_;
  std::string story_;
};

// The histories come in parts, so that they can run side by side. HISTORIES and FIRST_HISTORY in the
// environment ask for more histories, or for one of them again.
class CollectionEquality : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::uint64_t kParts = 4;
  static constexpr std::uint64_t kHistories = 200;
  static std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
  }
};

TEST_P(CollectionEquality, RememberingNeverShows) {
  const std::uint64_t first = from_environment("FIRST_HISTORY", 1);
  const std::uint64_t end = first + from_environment("HISTORIES", kHistories);
  for (std::uint64_t seed = first + GetParam(); seed < end; seed += kParts) {
    const std::string wrong = History(seed).run();
    ASSERT_EQ(wrong, "") << "replay with FIRST_HISTORY=" << seed << " HISTORIES=1";
  }
}

INSTANTIATE_TEST_SUITE_P(Part, CollectionEquality, ::testing::Range<std::uint64_t>(0, 4));

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
