// What an account looks like from outside: answers, counters and views, as plain data. Pages, the gateway's
// own metrics and `--probe` are made of these alone. Value types.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/evaluation/collection_status.h"
#include "sqlbak_gateway/sqlbak/collection.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sqlbak_gateway::gateway {

struct Published;  // gateway/published.h: a snapshot, prepared for answering
class Trace;       // gateway/trace.h: what one collection did

// How a probe was answered: the values of the label `result` of sqlbak_gateway_probes_total.
enum class ProbeResult : std::uint8_t {
  fresh,      // from memory, within cache_ttl
  collected,  // by a collection that this probe started or joined, and that succeeded in time
  stale,    // with the last good data: the collection was not done in time, failed, or waits for its turn to
            // retry
  pending,  // the initial collection runs: with what it has read so far, if anything
  failed    // without data: none could be collected yet, or they are older than max_stale
};
inline constexpr std::array kProbeResults = {ProbeResult::fresh, ProbeResult::collected, ProbeResult::stale,
                                             ProbeResult::pending, ProbeResult::failed};
std::string_view name(ProbeResult result);

// What a probe is answered with.
struct ProbeAnswer {
  ProbeResult result = ProbeResult::failed;
  std::shared_ptr<const Published> data;  // null: none, or older than max_stale
  evaluation::CollectionStatus status;    // probe_duration included
  std::size_t series_dropped = 0;         // of the last good data, however old
  SystemTime at{};                        // t
  std::uint64_t version = 0;              // answers of one version differ by t alone
};

// The text of an answer.
std::string exposition_text(const ProbeAnswer& answer, const config::AccountConfig& config);

// Stands for every HTTP status that is not registered: what an API answers with must not become label values.
inline constexpr int kOtherStatus = -1;

// Since the account was configured.
struct AccountCounters {
  std::array<std::uint64_t, kProbeResults.size()> probes{};
  std::map<std::string, std::uint64_t, std::less<>> collections;  // by result
  // By endpoint and status; 0: no answer; or kOtherStatus.
  std::map<std::pair<sqlbak::Endpoint, int>, std::uint64_t> api_requests;
  std::uint64_t api_retries = 0;
  Duration api_throttled{};
  std::map<sqlbak::NotedField, std::uint64_t> unrecognised;
  std::optional<SystemTime> last_probe;

  // `status` as the API gave it, or 0.
  void count_request(sqlbak::Endpoint endpoint, int status);
};

// The latest completed collection, and the one that runs. Times are empty until there is one.
struct CollectionRecord {
  std::optional<SystemTime> last_attempt;  // start of the latest completed or running collection
  std::optional<SystemTime> last_success;  // start of the latest successful one: its T
  Duration last_duration{};                // of the latest completed one
  std::uint64_t last_api_requests = 0;     // of the latest completed one
  // Why the latest completed one failed; empty if it succeeded.
  std::optional<sqlbak::Answer::Failure> last_failure;
  sqlbak::EndpointStates endpoint_up{};  // each as of the latest completed one that asked it
  // How far the API's clock is ahead of ours, as of the latest one whose answers told; empty before that.
  std::optional<std::chrono::milliseconds> api_clock_ahead;
  std::uint32_t failures_in_a_row = 0;
  bool in_progress = false;
  bool completed_any = false;  // false: what is said above of the latest completed one is not known
  // None has completed in this process, and the data of a former process are still fresh, so its latest one
  // succeeded. Of older data that is not known.
  bool remembers_good = false;
};

// What metrics say of an account. Holds no traces, so that a scrape of /metrics copies none.
struct AccountFigures {
  CollectionRecord record;
  std::shared_ptr<const Published> data;       // null if there are none; may be older than max_stale
  bool backfilling = false;                    // `data` is what a running initial collection has read so far
  std::optional<Duration> next_collection_in;  // empty while one runs; zero: with the next probe
  AccountCounters counters;
};

// What pages say of an account.
struct AccountView : AccountFigures {
  std::deque<std::shared_ptr<const Trace>> traces;    // newest first
  std::deque<std::shared_ptr<const Trace>> failures;  // newest first
};

// What pages are made of. The configuration must outlive it.
struct AccountOnPage {
  const config::AccountConfig* config = nullptr;
  AccountView view;
};

// How many of a trace's steps a text shows.
enum class TraceDetail {
  every_step,
  overview,  // the last few, and before them the last few that failed
};

}  // namespace sqlbak_gateway::gateway
