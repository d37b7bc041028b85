#include "simulator/scenarios.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace sqlbak_gateway::simulator {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Minutes = std::chrono::minutes;

std::string numbered(std::string_view prefix, std::size_t number, int width) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%0*zu", width, number);
  return std::string(prefix) + digits.data();
}

// A job of a generated account. Its retention decides its window (7 days more), and the cadence is chosen so
// that exactly `runs` runs start inside that window before `now`.
Job generated_job(std::size_t number, std::size_t runs, SystemTime now, Random& random) {
  static constexpr std::array kRetentions = {7, 14, 23};
  static const std::array<std::vector<std::string>, 5> kPatterns = {{
      {"database_full"},
      {"database_full", "database_differential", "database_differential"},
      {"database_full", "database_transaction_log", "database_transaction_log", "database_transaction_log"},
      {"database_full", "database_incremental"},
      {"database_full", "folder"},
  }};
  static constexpr std::array kDatabases = {"erp", "crm", "payroll", "intranet", "warehouse", "reports"};
  Job job;
  job.name = numbered("job-", number, 3);
  const int retention = kRetentions[random.below(kRetentions.size())];
  job.destinations = {{"Amazon S3", 0, retention, 0, std::min(retention, 7)}};
  if (random.happens(0.2)) job.destinations.push_back({"Network folder", 0, 3, 0, 3});
  const std::vector<std::string>& pattern = kPatterns[random.below(kPatterns.size())];
  for (const std::string& type : pattern) {
    if (std::ranges::find(job.types, type) == job.types.end()) job.types.push_back(type);
  }
  job.databases.clear();
  const std::size_t databases = 1 + random.below(3);
  const std::size_t first = random.below(kDatabases.size());
  for (std::size_t i = 0; i < databases; ++i)
    job.databases.emplace_back(kDatabases[(first + i) % kDatabases.size()]);
  if (random.happens(0.2)) job.failure_rate = 0.1;
  if (random.happens(0.1)) job.oddity_rate = 0.05;
  if (random.happens(0.1)) job.enforces_retention = false;
  if (random.happens(0.1)) job.broken_since = now - Hours(12 + random.below(72));
  if (runs > 0) {
    const Milliseconds span = Days(retention + 6);
    const Milliseconds every = span / static_cast<std::int64_t>(runs);
    job.duration = std::min<Milliseconds>(Minutes(2 + random.below(10)), every / 3);
    // The last of them began at least half a cadence ago, and so is finished. None of them is a whole number
    // of days old: with a time that stands still, it would pass its retention between the answer and the
    // truth.
    job.cadences = {{now - span + every / 2 - std::chrono::seconds(90), every, pattern}};
  }
  return job;
}

Cadence daily(SystemTime from, int hour, std::vector<std::string> types) {
  return {std::chrono::floor<Days>(from) + Hours(hour), Hours(24), std::move(types)};
}

Cadence every(SystemTime from, Minutes gap, std::vector<std::string> types) {
  return {std::chrono::floor<Days>(from), gap, std::move(types)};
}

constexpr std::uint8_t kMondayToFriday = 0b0111110;
constexpr Days kDemoHistory{21};

std::unique_ptr<Account> demo_account(std::string_view name, SystemTime start, std::uint64_t seed) {
  auto account =
      std::make_unique<Account>(std::string(name), std::string(kDemoTokenPrefix).append(name), start, seed);
  account->email = "it@" + std::string(name) + ".example";
  return account;
}

std::unique_ptr<Account> acme(SystemTime now, std::uint64_t seed) {
  const SystemTime start = now - kDemoHistory;
  auto account = demo_account("acme", start, seed);
  const Id sql = account->add_server({.name = "acme-sql-01"});
  const Id web = account->add_server({.name = "acme-web-01", .app_type = "sqlbak_linux"});
  account->add_server({.name = "acme-branch", .status = "offline"});
  account->add_job({.name = "ERP",
                    .server_id = sql,
                    .types = {"database_full", "database_transaction_log"},
                    .destinations = {{"Amazon S3", 0, 14, 0, 3}, {"Network folder", 0, 3, 0, 1}},
                    .databases = {"erp", "erp_archive"},
                    .cadences = {daily(start, 1, {"database_full"}),
                                 every(start, Minutes(60), {"database_transaction_log"})},
                    .duration = Minutes(5)});
  account->add_job({.name = "Intranet",
                    .server_id = web,
                    .types = {"database_full", "database_differential"},
                    .destinations = {{"Azure Storage", 0, 14, 0, 14}},
                    .databases = {"intranet"},
                    .cadences = {{daily(start, 3,
                                        {"database_full", "database_differential", "database_differential",
                                         "database_differential"})}}});
  account->add_job({.name = "Documents",
                    .server_id = web,
                    .types = {"folder"},
                    .databases = {""},
                    .cadences = {daily(start, 5, {"folder"})}});
  account->add_job(
      {.name = "Index rebuild", .server_id = sql, .type = "maintenance", .types = {}, .destinations = {}});
  account->advance_to(now);
  return account;
}

std::unique_ptr<Account> globex(SystemTime now, std::uint64_t seed) {
  const SystemTime start = now - kDemoHistory;
  auto account = demo_account("globex", start, seed);
  const Id first = account->add_server({.name = "globex-db-1"});
  const Id second = account->add_server({.name = "globex-db-2"});
  account->add_job({.name = "CRM",
                    .server_id = first,
                    .destinations = {{"Google Drive", 0, 14, 0, 0}},
                    .databases = {"crm", "crm_archive", "crm_reports"},
                    .cadences = {daily(start, 2, {"database_full"})},
                    .broken_since = now - Days(5),
                    .broken_database = "crm_archive"});
  account->add_job({.name = "Warehouse",
                    .server_id = second,
                    .types = {"database_full", "database_differential"},
                    .destinations = {{"Amazon S3", 0, 10, 0, 10}},
                    .databases = {"warehouse"},
                    .cadences = {every(start, Minutes(360), {"database_full", "database_differential"})},
                    .failure_rate = 0.1,
                    .broken_since = now - Days(2)});
  Cadence office_hours = every(start, Minutes(60), {"database_transaction_log"});
  office_hours.weekdays = kMondayToFriday;
  office_hours.from_hour = 7;
  office_hours.to_hour = 19;
  account->add_job({.name = "Billing",
                    .server_id = second,
                    .types = {"database_full", "database_transaction_log"},
                    .destinations = {{"Dropbox", 0, 21, 0, 7}},
                    .databases = {"billing"},
                    .cadences = {daily(start, 21, {"database_full"}), office_hours}});
  account->advance_to(now);
  return account;
}

std::unique_ptr<Account> initech(SystemTime now, std::uint64_t seed) {
  const SystemTime start = now - kDemoHistory;
  auto account = demo_account("initech", start, seed);
  const Id old = account->add_server({.name = "initech-sql", .status = "disconnected"});
  const Id current = account->add_server({.name = "initech-app"});
  account->add_server({.name = "initech-spare"});
  // It stopped nine days ago with a retention of seven: nothing succeeds any more, so nothing is deleted.
  account->add_job({.name = "Payroll",
                    .server_id = old,
                    .destinations = {{"FTP", 0, 7, 0, 0}},
                    .databases = {"payroll"},
                    .cadences = {daily(start, 4, {"database_full"})},
                    .stopped_since = now - Days(9)});
  account->add_job({.name = "Timesheets",
                    .server_id = current,
                    .destinations = {{"Network folder", 0, 3, 0, 0}},
                    .databases = {"timesheets"},
                    .cadences = {daily(start, 22, {"database_full"})},
                    .enforces_retention = false});
  account->add_job({.name = "Facilities", .server_id = current, .destinations = {{"Amazon S3", 3, 0, 0, 0}}});
  account->advance_to(now);
  return account;
}

}  // namespace

std::optional<Size> size_named(std::string_view name) {
  if (name == "small") return kSmall;
  if (name == "typical") return kTypical;
  if (name == "large") return kLarge;
  return std::nullopt;
}

std::unique_ptr<Account> generated_account(std::string name, std::string token, Size size, SystemTime now,
                                           std::uint64_t seed, Evolution evolution) {
  constexpr Days kLongestHistory{30};
  auto account = std::make_unique<Account>(std::move(name), std::move(token), now - kLongestHistory, seed);
  Random random = Random::of({seed, 7});
  for (std::size_t i = 1; i <= size.servers; ++i) {
    const bool off = random.happens(0.05);
    account->add_server({.name = numbered("server-", i, 2),
                         .app_type = random.happens(0.2) ? "sqlbak_linux" : "sqlbak_windows",
                         .status = off ? "offline" : "online"});
  }
  for (std::size_t i = 1; i <= size.jobs; ++i) {
    Job job = generated_job(i, size.runs, now, random);
    if (size.servers > 0) job.server_id = 1 + random.below(size.servers);
    account->add_job(std::move(job));
  }
  account->advance_to(now);
  account->evolve(evolution);
  return account;
}

World generated_world(std::size_t accounts, Size size, SystemTime now, std::uint64_t seed,
                      Evolution evolution) {
  World world;
  for (std::size_t i = 1; i <= accounts; ++i) {
    const std::string name = numbered("account-", i, 4);
    world.add(generated_account(name, "token-" + name, size, now, Random::of({seed, i}).next(), evolution));
  }
  return world;
}

World demo_world(SystemTime now, std::uint64_t seed) {
  World world;
  world.add(acme(now, seed));
  world.add(globex(now, seed + 1));
  world.add(initech(now, seed + 2));
  return world;
}

}  // namespace sqlbak_gateway::simulator
