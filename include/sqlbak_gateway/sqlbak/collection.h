// Collection: one pass over an account's API, as a state machine: what is asked next, and what an answer
// means.
//
// Pure: no thread, no clock, no socket. Whoever drives it takes requests with next(), sends them wherever and
// in whatever order it likes, and hands each answer to on(). Driven by the upstream thread against libcurl,
// by tests against the simulator and by recorded answers. Not thread-safe.
//
//   Collection collection(plan, memory);
//   while (!collection.done()) {
//     while (auto request = collection.next()) send(*request);
//     auto [id, answer] = receive();
//     collection.on(id, std::move(answer), now);
//   }
//   CollectionOutcome outcome = collection.finish();
//
// Order: both lists first; then job by job in the order of the list, each job's settings, runs and details
// before the next job's, so that the first jobs of a long first collection are complete early. A job that
// takes hundreds of requests waits, after these, until all others have had theirs.
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

// Bounds on what an API may make us read and remember. A list of servers or jobs beyond them fails the
// collection; a list of runs makes its job unreadable. Rows whose id is longer than kMaxIdBytes are skipped.
// A page that brings no row that was not there before ends its list, whatever it says, so rows bound the
// pages. A list of servers or jobs is read at most twice.
inline constexpr std::uint32_t kMaxPages = 5'000;      // of one list
inline constexpr std::size_t kMaxServers = 20'000;     // and as many jobs
inline constexpr std::size_t kMaxRunsOfJob = 250'000;  // in its window
inline constexpr std::uint64_t kMaxRunsOfAccount = 2'000'000;
inline constexpr std::size_t kMaxIdBytes = 256;

// What a collection has to know beforehand. Value type.
struct CollectionPlan {
  SystemTime started_at{};  // T: windows are judged at it
  Duration lookback = std::chrono::hours(168);
  Duration settings_ttl = std::chrono::minutes(15);  // zero: read them every time
  // A keyed hash of the token. Where the memory was read with another token, whose account it is must be
  // settled (`/me`) before anything remembered is used. The account's identity where `/me` does not tell it.
  std::string token_fingerprint;
  // How long that waits for a `/me` in trouble, counted from the last good collection, before the account
  // begins anew.
  Duration max_stale = std::chrono::hours(24);
  // How far back a job's runs are read and kept, where that is further than its window: twice its largest
  // configured max_age. May be empty. Called with the job as listed.
  std::function<Duration(const Job&)> first_reach;
};

// Whether an endpoint's latest answer in this collection could be used; nothing when it was not asked.
using EndpointStates = std::array<std::optional<bool>, kEndpoints.size()>;

// Value type.
struct CollectionOutcome {
  // Set when the collection failed: a list could not be read completely, the token was refused, or it was
  // given up.
  std::optional<Answer::Failure> failure;
  // What was read, merged with the last good parts of the memory. Null when the collection failed.
  std::shared_ptr<const Snapshot> snapshot;
  // What is remembered from now on. Never null: a failed collection keeps the finished runs that it has read.
  std::shared_ptr<const AccountMemory> memory;
  EndpointStates endpoint_up{};
  Unrecognised unrecognised;
  FieldsSeen fields_seen;           // which plausible names of undocumented fields the API used
  std::uint64_t audit_changes = 0;  // remembered runs that turned out to have changed after they were final
  // Runs whose details could not be read in three collections: left out, without making jobruns_available 0,
  // and tried again once a day.
  std::uint64_t runs_left_out = 0;

  // Succeeded, but some job could not be read (the contract's "partial").
  bool partial() const { return snapshot && snapshot->jobs_unreadable > 0; }
};

// Resource type.
class Collection {
 public:
  // `memory` may be null: nothing is known yet.
  Collection(CollectionPlan plan, std::shared_ptr<const AccountMemory> memory);
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;
  ~Collection();

  // The next request that may be sent now; nothing when what follows depends on answers still awaited, or
  // when done.
  std::optional<Request> next();
  // Whether next() would give one.
  bool has_next() const;

  // The answer to the request `id`, at the system time `now`. Answers to unknown ids are ignored. A failure
  // with reason `auth` (on any endpoint) or a list that cannot be read ends the collection at once.
  void on(std::uint64_t id, Answer answer, SystemTime now);

  // Ends it from outside: no progress, or the account is gone. Does nothing when done.
  void give_up(Answer::Failure failure);

  bool done() const;

  // No collection of the account has succeeded yet, or whose account it is has changed: every run is read for
  // the first time.
  bool backfill() const;
  // The lists of servers and jobs are complete: progress() has something to say.
  bool lists_read() const;
  // Grows by one with each job that has been read completely.
  std::uint64_t jobs_read() const;
  // What has been read completely so far, with jobs_pending set: for publishing while a backfill runs.
  // jobruns_available is false as long as jobs are pending.
  std::shared_ptr<const Snapshot> progress() const;
  // What would be remembered if it ended now, half-read jobs included: for writing it down while a long
  // collection runs. Costs as much as copying what the jobs that are just being read remember.
  std::shared_ptr<const AccountMemory> memory_so_far() const;

  // The result; once, and only when done().
  CollectionOutcome finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sqlbak_gateway::sqlbak
