// Faults: rules that spoil answers, by endpoint, account, path and time. A rule counts the requests that it
// matches, and may apply to some of them only. If several rules apply to one request, their latencies add up;
// of the rest the last rule wins.
#pragma once

#include "simulator/random.h"
#include "simulator/wire.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::simulator {

// How a reply's body is made unreadable.
enum class Garbage {
  none,
  malformed,
  wrong_types,
  huge_numbers,
  deep,
  invalid_utf8,
  truncated,
  empty,
  html,
  null,
  no_data
};

struct Fault {
  // Which requests. Patterns are shell-style: '*' and '?'.
  std::string endpoint =
      "*";  // me, servers, jobs, settings, jobruns, jobrun_details, destinations, dbms_connections
  std::string account = "*";             // an account's name; "" matches requests without a known token
  std::string path = "*";                // the path below the API's prefix, with its query
  SystemTime from = SystemTime::min();   // in the world's time
  SystemTime until = SystemTime::max();  // not included
  std::uint64_t skip = 0;                // the first matching requests, which are spared
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();  // then apply to this many
  std::uint64_t every = 1;                                          // and of these only every n-th
  double probability = 1;                                           // and of these only by chance

  // What happens to them.
  Duration latency{};
  Duration jitter{};  // at random, up to this, on top
  std::optional<int> status;
  std::optional<Duration> retry_after;  // with `status`
  bool retry_after_date = false;        // as a date rather than in seconds
  std::string redirect;                 // Location, with status 302 unless `status` says otherwise
  Garbage garbage = Garbage::none;
  std::size_t pad = 0;   // blanks after the JSON: an over-long body that stays valid
  Wire wire;             // its delay is not used
  bool endless = false;  // has_more stays true, and the last page is served again and again
  int shift = 0;    // rows that slip in before each further page (repeats), or, below 0, out of it (gaps)
  Duration late{};  // runs are listed only when they started this long ago
  double rate = 0;  // requests a second an account may make (beyond: 429 with Retry-After); 0: no limit
  double burst = 1;

  std::string text;  // as it was written
};

// "endpoint=jobruns,account=acme,status=503,retry_after=30s,first=3". `now` is what from= and for= count
// from.
Result<Fault> parse_fault(std::string_view text, SystemTime now);
// One line of help for each key.
std::vector<std::string> fault_help();

// The active rules. Not thread-safe.
class Faults {
 public:
  std::uint64_t add(Fault fault);  // its number
  void remove(std::uint64_t number);
  void clear();

  struct Target {
    std::string_view endpoint;
    std::string_view account;
    std::string_view path;
  };
  // The rules that apply to this request, in the order they were added. Counts the request.
  std::vector<const Fault*> striking(const Target& target, SystemTime world_now);
  // How long an account over a rule's rate has to wait; empty if it may go on. Takes from the bucket.
  std::optional<Duration> over_rate(const Fault& fault, std::string_view account, SteadyTime now);

  struct Count {
    std::uint64_t number = 0;
    std::uint64_t matched = 0;  // requests of its endpoint, account, path and time
    std::uint64_t struck = 0;
    std::string text;
  };
  std::vector<Count> counts() const;
  // Jitter and chance.
  Random& random() { return random_; }

 private:
  struct Rule {
    Fault fault;
    std::uint64_t matched = 0;
    std::uint64_t struck = 0;
  };
  struct Bucket {
    double tokens = 0;
    SteadyTime filled;
  };
  std::map<std::uint64_t, Rule> rules_;  // map: rules stay where they are
  std::map<std::pair<const Fault*, std::string>, Bucket> buckets_;
  std::uint64_t next_number_ = 1;
  Random random_{0xfa017};
};

// Spoils a JSON body as the fault says. Pure.
std::string spoilt(Garbage garbage, const std::string& body);

}  // namespace sqlbak_gateway::simulator
