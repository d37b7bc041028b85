// The world behind the simulated API: customers' accounts with servers, jobs, settings and runs, and how they
// change as time goes on.
//
// An account starts empty at some instant in the past and evolves to the present by its own events: a run
// starts with no backups, gains entries and uploads one by one, finishes or fails; a successful upload lets
// retention delete expired files of the same job and type; servers go offline and come back; with churn, jobs
// and servers are added, renamed, removed and reconfigured. Everything follows from the seed and the times,
// so the same world can be made again.
//
// Resource types without a lock of their own: Simulator serialises access.
#pragma once

#include "simulator/random.h"
#include "sqlbak_gateway/base/clock.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::simulator {

using Id = std::uint64_t;
using Hours = std::chrono::hours;
using Days = std::chrono::days;

// Text that repeats in every run (types, statuses, names of databases), kept once per account.
enum class Word : std::uint16_t {};
class Words {
 public:
  Word intern(std::string_view text);
  const std::string& text(Word word) const { return texts_[static_cast<std::size_t>(word)]; }

 private:
  std::deque<std::string> texts_;
  std::map<std::string, Word, std::less<>> index_;
};

struct Upload {
  std::uint8_t files = 1;    // 0 to 8
  std::uint8_t deleted = 0;  // bit i: file i is deleted

  bool is_deleted(unsigned file) const { return ((unsigned{deleted} >> file) & 1u) != 0; }
  bool all_deleted() const { return deleted == all(); }
  void delete_all() { deleted = all(); }

 private:
  std::uint8_t all() const { return static_cast<std::uint8_t>((1u << files) - 1u); }
};

// One element of a run's `backups`.
struct Entry {
  static constexpr std::size_t kMostUploads = 3;
  Word type{};      // as the API writes it, like "database_full"
  Word status{};    // as the API writes it: "running", "succeeded", "failed", "cancelled", …
  Word database{};  // empty if the entry names none
  std::uint8_t upload_count = 0;
  std::array<Upload, kMostUploads> uploads{};
  std::uint64_t size = 0;  // bytes; 0 if not known
};

struct Run {
  Id id = 0;
  std::optional<SystemTime> started_at;   // if empty, the API says null and lists the run whatever the filter
  std::optional<SystemTime> finished_at;  // empty while it runs
  std::vector<Entry> entries{};
  bool removed = false;     // neither listed nor readable
  bool unlisted = false;    // readable by id, but not in lists yet
  bool unreadable = false;  // listed, but its details are 404
};

struct Server {
  Id id = 0;
  std::string name{};
  std::string app_type = "sqlbak_windows";
  std::string status = "online";
};

struct Destination {
  std::string name = "Amazon S3";
  int full_months = 0;
  int full_days = 0;
  int inc_months = 0;  // for differential, log and incremental backups
  int inc_days = 0;
};

// When runs of a job start: at `first` and every `every` after it, where weekday and hour (UTC) allow. The
// n-th run backs up the n-th type of `types`, again and again.
struct Cadence {
  SystemTime first{};
  std::chrono::milliseconds every{Hours(24)};
  std::vector<std::string> types = {"database_full"};
  std::uint8_t weekdays = 0b1111111;  // bit 0: Sunday … bit 6: Saturday
  int from_hour = 0;
  int to_hour = 24;  // not included
};

struct Job {
  Id id = 0;
  std::string name{};
  Id server_id = 0;  // 0: null
  std::string type = "backup";
  bool enabled = true;
  std::vector<std::string> types = {"database_full"};  // what its settings say is scheduled; "folder" too
  std::vector<Destination> destinations = {{}};
  std::vector<std::string> databases = {"main"};  // each run backs up all of them, in this order

  // What its runs are like. Read when a run starts and steps on; free to change at any time.
  std::vector<Cadence> cadences{};                              // empty if it never runs by itself
  std::chrono::milliseconds duration{std::chrono::minutes(6)};  // of a run
  double failure_rate = 0;                                      // of an entry, by chance
  double oddity_rate = 0;                     // of an entry that ends as "cancelled" or "warning"
  std::optional<SystemTime> stopped_since{};  // no run starts from here on
  std::optional<SystemTime> broken_since{};   // every entry fails from here on …
  std::string broken_database{};              // … or only those of this database, if one is named
  bool enforces_retention = true;

  SystemTime created_at{};  // set when it is added
  std::vector<Run> runs{};  // in order of their ids; removed ones stay as tombstones
  bool in_order = true;     // the runs are also in order of their starts

  // months × 30 + days, the largest of its destinations; 0 for types without retention.
  int retention_days(std::string_view api_type) const;
};

// A run that a test writes by hand; it is finished unless `open`.
struct HandRun {
  std::string type = "database_full";
  std::string status = "succeeded";
  std::vector<std::string> databases = {"main"};
  std::uint8_t uploads = 1;
  std::uint8_t files = 1;  // of each upload
  bool deleted = false;    // all its files
  bool open = false;
  std::chrono::milliseconds duration{std::chrono::minutes(6)};
  std::uint64_t size = 1u << 20;
};

// What happens to a generated account besides its runs.
struct Evolution {
  bool outages = false;  // servers go offline every few days, for hours
  bool churn = false;    // jobs and servers are added, renamed, removed, reconfigured every few hours
};

class Account {
 public:
  // An empty account whose time is `now`.
  Account(std::string name, std::string token, SystemTime now, std::uint64_t seed);
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  const std::string name;
  std::string token;           // a rotation is an assignment; the old one is unknown from then on
  std::optional<int> refused;  // 401 or 403 to every request: the token was revoked
  bool suspended = false;      // as /me says
  std::string email;           // as /me says; with created_at it is the account's identity
  SystemTime created_at;

  SystemTime now() const { return now_; }
  // Lets everything happen that is due until `now`. An earlier instant changes nothing.
  void advance_to(SystemTime now);
  // From now on.
  void evolve(Evolution evolution) { evolution_ = evolution; }

  const std::map<Id, Server>& servers() const { return servers_; }
  const std::map<Id, Job>& jobs() const { return jobs_; }
  const Words& words() const { return words_; }
  // An id that is not there is a programming error.
  Server& server(Id id) { return servers_.at(id); }
  Job& job(Id id) { return jobs_.at(id); }
  Run& run(Id id);
  // By name; 0 if there is none.
  Id server_named(std::string_view name) const;
  Id job_named(std::string_view name) const;
  // With its job; nulls for one that is unknown or removed.
  std::pair<const Job*, const Run*> find_run(Id id) const;

  // Ids of 0 are replaced by the next free one, which is returned.
  Id add_server(Server server);
  Id add_job(Job job);        // from now on its cadences start runs
  void remove_server(Id id);  // its jobs stay, and name a server that is not there
  void remove_job(Id id);     // with its runs
  // A run as written, `started_at` before or after now; out of order is fine. Its id is the next free one.
  Id add_run(Id job, std::optional<SystemTime> started_at, const HandRun& run = {});
  // Types and statuses are free text: Word for Entry's members.
  Word word(std::string_view text) { return words_.intern(text); }
  // The number of runs in all jobs, without removed ones.
  std::size_t run_count() const;

  // RFC 6902 patches that are laid over the JSON of one row, for what the plain structs cannot say: a null
  // name, an id of another type, a member that is missing. Truth reads the patched row too.
  enum class Row { server, job, settings, run };
  void patch(Row row, Id id, nlohmann::json rfc6902) { patches_[{row, id}] = std::move(rfc6902); }
  const nlohmann::json* find_patch(Row row, Id id) const;

  // One random change of the kinds that `churn` makes, `rewrites` also those that a backup service should
  // never make: runs deleted, changed after they were final, unreadable for a while, listed late. Says in
  // words what it did.
  std::string mutate(Random& random, bool rewrites);

 private:
  struct Event {
    enum class Kind { start_run, step_run, outage_begins, outage_ends, churn } kind;
    SystemTime at;
    std::uint64_t order;  // of events at the same instant: as they were made
    Id subject;           // job, run or server
    std::size_t cadence;
    std::uint64_t count;  // of runs of this cadence so far
    bool operator>(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  void schedule(Event::Kind kind, SystemTime at, Id subject, std::size_t cadence = 0,
                std::uint64_t count = 0);
  void schedule_next_start(const Job& job, std::size_t cadence, SystemTime after, std::uint64_t count);
  void happen(const Event& event);
  void start_run(const Event& event);
  void step_run(Id run);
  void set_outage(const Event& event);
  void end_entry(Job& job, Run& run, Entry& entry);
  void apply_retention(Job& job, Word type);
  std::string mutate_job(Job& job, Random& random);
  std::string mutate_server(Random& random);
  std::string rewrite_run(Job& job, Random& random);
  Run& append_run(Job& job, std::optional<SystemTime> started_at);

  std::uint64_t seed_;
  SystemTime now_;
  Evolution evolution_;
  Words words_;
  std::map<Id, Server> servers_;
  std::map<Id, Job> jobs_;
  std::unordered_map<Id, std::pair<Id, std::size_t>> run_places_;  // job and index in its runs
  std::unordered_map<Id, Word> running_;  // unfinished runs of cadences, with their type
  // By job and type: runs before this index have nothing left to delete.
  std::map<std::pair<Id, Word>, std::size_t> retention_done_;
  std::map<std::pair<Row, Id>, nlohmann::json> patches_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t next_order_ = 0;
  Id next_server_ = 1;
  Id next_job_ = 101;
  Id next_run_ = 10001;
};

// All accounts, by name and by token.
class World {
 public:
  // Two accounts of one name are a programming error.
  Account& add(std::unique_ptr<Account> account);
  Account& account(std::string_view name);
  Account* find(std::string_view name);
  Account* find_by_token(std::string_view token);
  const std::map<std::string, std::unique_ptr<Account>, std::less<>>& accounts() const { return accounts_; }

 private:
  std::map<std::string, std::unique_ptr<Account>, std::less<>> accounts_;
};

}  // namespace sqlbak_gateway::simulator
