// Account: one configured account at work: its cache, its running collection, the probes that wait for it,
// its traces and counters. The rules are AccountState's; this adds the lock, the waiting, the token and the
// data.
//
// Resource type, held by shared_ptr: a running collection keeps its account alive. All methods may be called
// from any thread, but for those of CollectionSink, which are the upstream thread's.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/evaluation/collection_status.h"
#include "sqlbak_gateway/gateway/account_state.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/gateway/published.h"
#include "sqlbak_gateway/gateway/waiting_places.h"
#include "sqlbak_gateway/history/history.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sqlbak_gateway::gateway {

// How a probe was answered: the values of the label `result` of sqlbak_gateway_probes_total.
enum class ProbeResult : std::uint8_t {
  fresh,      // from memory, within cache_ttl
  collected,  // by a collection that this probe started or joined, and that succeeded in time
  stale,    // with the last good data: the collection was not done in time, failed, or waits for its turn to
            // retry
  pending,  // a first collection runs: with what it has read so far, if anything
  failed    // without data: none could be collected yet, or they are older than max_stale
};
inline constexpr std::array kProbeResults = {ProbeResult::fresh, ProbeResult::collected, ProbeResult::stale,
                                             ProbeResult::pending, ProbeResult::failed};
std::string_view name(ProbeResult result);

// What a probe is answered with. Value type.
struct ProbeAnswer {
  ProbeResult result = ProbeResult::failed;
  std::shared_ptr<const Published> data;  // null: none, or older than max_stale
  evaluation::CollectionStatus status;    // probe_duration included
  std::size_t series_dropped = 0;         // of the last good data, however old
  SystemTime at{};                        // t
  std::uint64_t version = 0;              // answers of one version differ by t alone
};

// Stands for every status that no registry knows: what an API answers with must not become label values.
inline constexpr int kOtherStatus = -1;

// Since the account was configured. Value type.
struct AccountCounters {
  std::array<std::uint64_t, kProbeResults.size()> probes{};
  std::map<std::string, std::uint64_t, std::less<>> collections;  // by result
  // By endpoint and status; 0: no answer; or kOtherStatus.
  std::map<std::pair<sqlbak::Endpoint, int>, std::uint64_t> api_requests;
  std::uint64_t api_retries = 0;
  Duration api_throttled{};
  std::map<sqlbak::NotedField, std::uint64_t> unrecognised;
  std::optional<SystemTime> last_probe;
};

// Everything about an account for pages and metrics, read in one go.
struct AccountView {
  CollectionRecord record;
  std::shared_ptr<const Published> data;       // may be older than max_stale
  bool backfilling = false;                    // `data` is what a running first collection has read so far
  std::optional<Duration> next_collection_in;  // nothing while one runs; zero: with the next probe
  AccountCounters counters;
  std::deque<std::shared_ptr<const Trace>> traces;    // newest first
  std::deque<std::shared_ptr<const Trace>> failures;  // newest first
};

// What pages are made of. The configuration is its account's, which must outlive it.
struct AccountOnPage {
  const config::AccountConfig* config = nullptr;
  AccountView view;
};

// Told of what happens, for histograms that are not an account's own. Called from any thread.
class GatewayObserver {
 public:
  GatewayObserver() = default;
  GatewayObserver(const GatewayObserver&) = delete;
  GatewayObserver& operator=(const GatewayObserver&) = delete;
  virtual ~GatewayObserver() = default;
  virtual void api_request(sqlbak::Endpoint endpoint, Duration elapsed) = 0;
  virtual void probe(Duration elapsed) = 0;
};

// What all accounts share. Everything outlives them.
struct AccountServices {
  const Clock& clock;
  const Logger& log;
  Collector& collector;
  history::History& history;
  const config::BoundedTokens& tokens;
  WaitingPlaces& waiting;
  const std::atomic<std::uint64_t>& max_response_bytes;  // for collections that start from now on
  GatewayObserver& observer;
};

class Account final : public CollectionSink, public std::enable_shared_from_this<Account> {
 public:
  // `key` is never used again for another account. `jitter_seed` spreads the accounts' collections.
  Account(config::AccountConfig config, upstream::AccountKey key, const AccountServices& services,
          std::uint64_t jitter_seed);

  const config::AccountConfig& config() const { return config_; }
  upstream::AccountKey key() const { return key_; }

  // Answers a probe that arrived at `arrived`: from memory, or after a collection that it starts or joins,
  // waiting no longer than `deadline`. Blocks.
  ProbeAnswer probe(SteadyTime arrived, Deadline deadline) EXCLUDES(mutex_);

  AccountView view() const EXCLUDES(mutex_);

  // A reload happened: a failing account may be tried again at once.
  void end_backoff() EXCLUDES(mutex_);
  // Before a reload that makes this account the successor of `former`, the one of the same name: judges what
  // that one shows by this one's configuration, so that succeed() is quick.
  void prepare_to_succeed(const Account& former) EXCLUDES(mutex_);
  // Takes over everything that `former` knows, and retires it, in one step; before anybody probes this one.
  // Its data are shown at once only where the token still comes from the same place. What its running
  // collection, which ends, has read follows.
  void succeed(Account& former) EXCLUDES(mutex_);
  // Ends the running collection and releases every waiting probe; the account answers from memory from now
  // on.
  void retire() EXCLUDES(mutex_);

  std::shared_ptr<const AccountMemory> memory() override EXCLUDES(mutex_);
  void attempted(sqlbak::Endpoint endpoint, int status, Duration elapsed) override EXCLUDES(mutex_);
  void progressed(std::shared_ptr<const Snapshot> snapshot) override EXCLUDES(mutex_);
  void write_down(std::shared_ptr<const AccountMemory> so_far) override EXCLUDES(mutex_);
  void ended(sqlbak::CollectionOutcome outcome, const CollectionStats& stats,
             std::shared_ptr<const Trace> trace) override EXCLUDES(mutex_);

 private:
  bool begin_if_due(SteadyTime now) EXCLUDES(mutex_);
  void heed_changed_token(SteadyTime now, Deadline deadline) EXCLUDES(mutex_);
  void start_or_fail(Deadline deadline) EXCLUDES(mutex_);
  void start_collection(SystemTime now, Deadline deadline) EXCLUDES(mutex_);
  void recall(const std::string& token_fingerprint, Deadline deadline) EXCLUDES(mutex_);
  void fail_to_start(std::string message) EXCLUDES(mutex_);
  // What shows `data` by this configuration.
  std::shared_ptr<const Published> judged_anew(const std::shared_ptr<const Published>& data) const;
  // What a collection of a former account has read. The account that has succeeded this one, if one has: then
  // it goes there.
  std::shared_ptr<Account> adopt(const std::shared_ptr<const AccountMemory>& memory, bool history_known)
      EXCLUDES(mutex_);
  std::optional<FailureReason> conclude(CollectionEnd end) REQUIRES(mutex_);
  void keep(std::shared_ptr<const Trace> trace) REQUIRES(mutex_);
  ProbeAnswer answer(SteadyTime arrived, bool collected) REQUIRES(mutex_);
  std::shared_ptr<const Published> published(std::shared_ptr<const Snapshot> snapshot) EXCLUDES(mutex_);
  void log_overrides(const Published& data) const EXCLUDES(mutex_);
  void log_end(std::optional<FailureReason> before, const CollectionRecord& after) const;

  const config::AccountConfig config_;
  const upstream::AccountKey key_;
  const AccountServices services_;
  const std::shared_ptr<const upstream::Peer> peer_;
  const evaluation::Policy policy_;
  const exposition::Format format_;

  WaitingPlaces::OfAccount waiting_;
  std::atomic_flag heeding_;  // a probe looks whether the token has changed

  mutable Mutex mutex_;
  Condition changed_;
  AccountState state_ GUARDED_BY(mutex_);
  std::shared_ptr<const AccountMemory> memory_ GUARDED_BY(mutex_);
  bool history_known_ GUARDED_BY(mutex_) = false;  // it was read, and what it knew is in memory_
  // As of the latest collection's start; nothing: the file system did not answer.
  std::optional<config::TokenStamp> token_stamp_ GUARDED_BY(mutex_);
  TraceBook traces_ GUARDED_BY(mutex_);
  AccountCounters counters_ GUARDED_BY(mutex_);
  std::uint64_t version_ GUARDED_BY(mutex_) = 0;
  std::uint64_t jitter_state_ GUARDED_BY(mutex_);
  bool retired_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<Account> successor_ GUARDED_BY(mutex_);
  // The data of the account to be succeeded, and the same judged by this configuration.
  std::pair<std::shared_ptr<const Published>, std::shared_ptr<const Published>> prepared_ GUARDED_BY(mutex_);
};

// The text of an answer.
std::string exposition_text(const ProbeAnswer& answer, const config::AccountConfig& config);

}  // namespace sqlbak_gateway::gateway
