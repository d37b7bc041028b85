// Collection: one reading of an account from the API, as a state machine. It says what is asked next, and
// what an answer means.
//
// Pure: no thread, no clock, no socket. Its driver takes requests with next(), sends them in any order, and
// hands each answer to on(). The upstream thread drives it with libcurl, tests drive it with the simulator
// and with recorded answers. Not thread-safe.
//
//   Collection collection(plan, memory);
//   while (!collection.done()) {
//     while (auto request = collection.next()) send(*request);
//     auto [id, answer] = receive();
//     collection.on(id, std::move(answer), now);
//   }
//   CollectionOutcome outcome = collection.finish();
//
// Both lists come first. Then come the jobs in the order of the list, each with its settings, runs and
// details before the next job, so that the first jobs of a long initial collection are complete early. A job
// that takes hundreds of requests waits, after these, until all others have had theirs.
#pragma once

#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/sqlbak/notes.h"
#include "sqlbak_gateway/sqlbak/request.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace sqlbak_gateway::sqlbak {

// Bounds on what an API may make the gateway read and remember. A list of servers or jobs beyond them fails
// the collection, a list of runs makes its job unreadable. Rows whose id is longer than kMaxIdBytes are
// skipped. A page without a new row ends its list, whatever it says about further pages. A list of servers or
// jobs is read at most twice.
inline constexpr std::uint32_t kMaxPages = 5'000;      // of one list
inline constexpr std::size_t kMaxServers = 20'000;     // and as many jobs
inline constexpr std::size_t kMaxRunsOfJob = 250'000;  // in its window
inline constexpr std::uint64_t kMaxRunsOfAccount = 2'000'000;
inline constexpr std::size_t kMaxIdBytes = 256;

// What a collection needs to know beforehand. Value type.
struct CollectionPlan {
  SystemTime started_at{};  // T: windows are judged at it
  Duration lookback = std::chrono::hours(168);
  Duration settings_ttl = std::chrono::minutes(15);  // zero: read them every time
  // A keyed hash of the token. If the memory was read with another token, `/me` must say whose account it is
  // before anything remembered is used. It also stands for the account where `/me` does not answer.
  std::string token_fingerprint;
  // How long the collection waits for a `/me` that fails, counted from the last good collection, before the
  // account begins anew.
  Duration max_stale = std::chrono::hours(24);
  // How far back a job's runs are read and kept at least: twice its largest configured max_age. The window
  // may reach further. May be empty. Called with the job as listed.
  std::function<Duration(const Job&)> first_reach;
};

// Whether an endpoint's latest answer in this collection could be used; empty if it was not asked.
using EndpointStates = std::array<std::optional<bool>, kEndpoints.size()>;

// Value type.
struct CollectionOutcome {
  // Set if the collection failed: a list could not be read completely, the token was refused, or the
  // collection was given up.
  std::optional<Answer::Failure> failure;
  // What was read, merged with the last good parts of the memory. Null if the collection failed.
  std::shared_ptr<const Snapshot> snapshot;
  // What is remembered from now on. Never null: a failed collection keeps the finished runs that it has read.
  std::shared_ptr<const AccountMemory> memory;
  EndpointStates endpoint_up{};
  // How far the API's clock is ahead of ours; empty if no answer had a date.
  std::optional<std::chrono::milliseconds> api_clock_ahead;
  Unrecognised unrecognised;
  FieldsSeen fields_seen;           // which plausible names of undocumented fields the API used
  std::uint64_t audit_changes = 0;  // remembered runs that turned out to have changed after they were final
  // Runs whose details could not be read in three collections. They are left out, do not make
  // jobruns_available 0, and are tried again once a day.
  std::uint64_t runs_left_out = 0;

  // The collection succeeded, but some job could not be read ("partial").
  bool partial() const { return snapshot && snapshot->jobs_unreadable > 0; }
};

// Resource type.
class Collection {
 public:
  // `memory` is null if nothing is known yet.
  Collection(CollectionPlan plan, std::shared_ptr<const AccountMemory> memory);
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;
  ~Collection();

  // The next request that may be sent now. Empty when done, or if what follows depends on answers that are
  // still awaited.
  std::optional<Request> next();
  // Whether next() would give a request.
  bool has_next() const;

  // Takes the answer to the request `id`, at the system time `now`. Answers to unknown ids are ignored. A
  // failure with the reason `auth`, or a list that cannot be read, ends the collection at once.
  void on(std::uint64_t id, Answer answer, SystemTime now);

  // Ends the collection from outside: it makes no progress, or the account is gone. Does nothing when done.
  void give_up(Answer::Failure failure);

  bool done() const;

  // True if no collection of the account has succeeded yet, or the token now opens another account: every run
  // is read for the first time.
  bool backfill() const;
  // True once the lists of servers and jobs are complete: from then on progress() has something to say.
  bool lists_read() const;
  // Grows by one with each job that has been read completely.
  std::uint64_t jobs_read() const;
  // What has been read completely so far, with jobs_pending set, for publishing during an initial collection.
  // jobruns_available is false as long as jobs are pending.
  std::shared_ptr<const Snapshot> progress() const;
  // What would be remembered if the collection ended now, half-read jobs included, for writing it down while
  // a long collection runs. It copies what is remembered of the jobs that are just being read.
  std::shared_ptr<const AccountMemory> memory_so_far() const;

  // The result. To be called once, and only when done().
  CollectionOutcome finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sqlbak_gateway::sqlbak
