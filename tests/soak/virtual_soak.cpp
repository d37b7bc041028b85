#include "soak/virtual_soak.h"

#include "simulator/random.h"
#include "simulator/scenarios.h"
#include "simulator/truth.h"
#include "soak/lives.h"
#include "soak/reading.h"
#include "soak/truth_told.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <set>

namespace sqlbak_gateway::soak {
namespace {

using simulator::Random;
using simulator::Series;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kTokenPrefix = "soaked-secret-";
constexpr minutes kCacheTtl{5};
// The longest backoff, a Retry-After and a collection. After this time without a fault every account is
// healthy.
constexpr minutes kRecovery{30};

// What may go wrong. Faults in the details of single runs hit one account for a short time only, because a
// run that three collections could not read is left out for a day, which the truth does not know.
struct Mishap {
  std::string_view rule;
  bool details = false;
};
constexpr std::array kMishaps = {
    Mishap{"status=500"},
    Mishap{"status=503,retry_after=20s"},
    Mishap{"endpoint=jobruns,status=429,retry_after=90s,every=3"},
    Mishap{"rate=2,burst=5"},
    Mishap{"latency=45s"},
    Mishap{"latency=500ms,jitter=2s"},
    Mishap{"close=before"},
    Mishap{"endpoint=jobruns,close=body,probability=0.3"},
    Mishap{"endpoint=jobs,body=truncated"},
    Mishap{"endpoint=servers,body=malformed"},
    Mishap{"endpoint=jobs,body=no_data"},
    Mishap{"endpoint=servers,body=null"},
    Mishap{"endpoint=settings,body=html"},
    Mishap{"endpoint=settings,body=empty"},
    Mishap{"endpoint=jobrun_details,status=500", true},
    Mishap{"endpoint=jobrun_details,body=malformed,every=2", true},
    Mishap{"endpoint=jobrun_details,latency=45s", true},
};

class NoLeaks final : public LogSink {
 public:
  void write(std::string_view line) override {
    if (line.find(kTokenPrefix) != line.npos) leaked = line;
  }
  std::string leaked;
};

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "sqlbak-soak-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  // Replaces the file atomically, as an administrator does.
  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / (name + ".new")) << text;
    std::filesystem::rename(path / (name + ".new"), path / name);
  }
  std::filesystem::path path;
};

struct Customer {
  std::string name;
  bool settings_at_once = false;  // settings_ttl = "0s": only then does the truth hold at every collection
  bool churns = false;            // its jobs and servers come and go
  bool odd = false;               // some of its runs end neither well nor badly
  bool token_in_file = false;
  hours max_stale{24};
  // A reload may change these.
  bool configured = true;
  hours max_age{36};
  int revision = 0;

  // State of the simulated world.
  std::size_t faults = 0;  // active now
  // When a fault last began or ended, or anything else last happened to the account.
  SystemTime disturbed_until{};
  bool token_changed = false;  // since its latest success
  std::set<std::string> initial_jobs;
  std::optional<SystemTime> first_collected_at;

  // What the clients have seen. Counts start again after a restart and after a removal.
  Reading latest;
  SystemTime latest_at{};
  double last_check = 0;     // never goes back
  double written_check = 0;  // the value a kill may go back to
  std::uint64_t probes = 0;
  std::uint64_t started = 0;    // collections
  std::uint64_t cancelled = 0;  // of the started ones

  bool wanted = false;  // compare its next collection with the truth
  struct Sample {
    SystemTime collected_at;
    Series truth;
  };
  std::optional<Sample> sample;

  void begins_anew() {
    latest = {};
    probes = started = cancelled = 0;
    sample.reset();
    if (token_changed) last_check = 0;  // nothing is shown before /me has told whose token it is
  }
};

class VirtualSoak {
  template <typename Change>
  auto with(const Customer& customer, Change change) {
    return api_.with([&](simulator::World& world) {
      const SimulatorsOwn own;
      return change(world.account(customer.name));
    });
  }

 public:
  explicit VirtualSoak(const SoakPlan& plan)
      : plan_(plan), random_(Random::of({plan.seed, 0x50a4})), api_(world(), clock_) {
    for (std::size_t i = 0; i < customers_.size(); ++i) {
      Customer& customer = customers_[i];
      customer.settings_at_once = i % 2 == 0;
      customer.token_in_file = i % 3 == 0;
      customer.max_stale = hours(i % 4 == 0 ? 1 : 24);
      put_token(customer, with(customer, [](simulator::Account& account) { return account.token; }));
      with(customer, [&](simulator::Account& account) {
        for (const auto& [id, job] : account.jobs()) {
          customer.initial_jobs.insert(std::to_string(id));
          customer.odd = customer.odd || job.oddity_rate > 0;
        }
      });
    }
    for (std::size_t client = 0; client < 2; ++client) {
      for (Customer& customer : customers_) {
        const auto offset = milliseconds(Random::of({plan.seed, client, scrapes_.size()}).below(60'000));
        scrapes_.push_back({offset, &customer});
      }
    }
    std::ranges::stable_sort(scrapes_, {}, &Scrape::offset);
  }

  SoakOutcome run() {
    write_configuration();
    begin_life();
    print_head();
    const auto length = std::chrono::duration_cast<minutes>(plan_.length).count();
    for (minute_ = 0; minute_ < length && outcome_.wrong.empty(); ++minute_) {
      live_through_a_minute();
      if (!outcome_.wrong.empty()) break;
      if (minute_ % 10 == 9) take_stock();
      if (minute_ % 60 == 59 && plan_.table) print(outcome_.rows.back());
    }
    life_.reset();
    return std::move(outcome_);
  }

 private:
  struct Scrape {
    milliseconds offset;  // in each minute
    Customer* customer;
  };
  struct Trouble {
    SystemTime until;
    std::string pattern;  // of accounts
    bool details;
    std::function<void()> end;
  };

  // Most accounts are tiny, a few as large as they get.
  simulator::World world() {
    const SimulatorsOwn own;
    simulator::World world;
    const SystemTime now = clock_.system_now();
    customers_.resize(plan_.accounts);
    for (std::size_t i = 0; i < plan_.accounts; ++i) {
      Customer& customer = customers_[i];
      std::string number = std::to_string(i);
      customer.name = "customer_" + std::string(4 - std::min<std::size_t>(4, number.size()), '0') + number;
      customer.churns = i % 5 == 4;
      simulator::Size size{1 + i % 2, 2 + i % 3, 12};
      if (i % 25 == 0) size = simulator::kSmall;
      if (i % 100 == 1) size = {20, 40, 30};
      world.add(simulator::generated_account(customer.name, std::string(kTokenPrefix) + customer.name + "-0",
                                             size, now, Random::of({plan_.seed, i}).next(),
                                             {true, customer.churns}));
    }
    return world;
  }

  SystemTime now() const { return clock_.system_now(); }
  void fail(const std::string& what) {
    if (!outcome_.wrong.empty()) return;
    outcome_.wrong = "seed " + std::to_string(plan_.seed) + ", " + format_time(now()) + " (virtual hour " +
                     std::to_string(minute_ / 60) + "): " + what;
  }
  void fail(const Customer& customer, const std::string& what) { fail(customer.name + ": " + what); }

  // --- configuration

  static std::string variable(const Customer& customer) { return "TOKEN_" + customer.name; }

  void put_token(const Customer& customer, const std::string& token) {
    if (customer.token_in_file) {
      folder_.write("accounts.d/tokens/" + customer.name, token + "\n");
    } else {
      environment_[variable(customer)] = token;
    }
  }

  void write_configuration() {
    folder_.write("gateway.toml",
                  "accounts_dir = \"accounts.d\"\n[history]\npath = \"" +
                      (folder_.path / "history.db").string() +
                      "\"\n[defaults]\napi_url = \"http://127.0.0.1:1/public-api/v1\"\ncache_ttl = "
                      "\"270s\"\nmax_age = { full = \"36h\" }\n");
    constexpr std::size_t kOfOneFile = 25;
    for (std::size_t i = 0; i < customers_.size(); i += kOfOneFile) {
      std::string text;
      for (std::size_t j = i; j < std::min(i + kOfOneFile, customers_.size()); ++j) {
        const Customer& customer = customers_[j];
        if (!customer.configured) continue;
        text += "[accounts." + customer.name + "]\n";
        text += customer.token_in_file ? "token_file = \"tokens/" + customer.name + "\"\n"
                                       : "token_env = \"" + variable(customer) + "\"\n";
        if (customer.settings_at_once) text += "settings_ttl = \"0s\"\n";
        text += "max_stale = \"" + std::to_string(customer.max_stale.count()) + "h\"\n";
        text += "max_age = { full = \"" + std::to_string(customer.max_age.count()) + "h\" }\n";
        text += "labels = { revision = \"" + std::to_string(customer.revision) + "\" }\n";
      }
      folder_.write("accounts.d/part-" + std::to_string(i) + ".toml", text);
    }
  }

  // --- the program's lives

  void begin_life() {
    life_ = std::make_unique<Life>(
        Life::World{clock_, api_, log_, tokens_, folder_.path / "gateway.toml", environment_of_, plan_.seed});
    if (!life_->mistakes().empty()) return fail(life_->mistakes());
    for (Customer& customer : customers_) customer.begins_anew();
    unknown_accounts_ = 0;
    life_began_ = now();
  }

  void end_life(bool kill) {
    for (const Customer& customer : customers_) {
      if (customer.configured) carry(customer);
    }
    if (kill) {
      for (Customer& customer : customers_) {
        customer.last_check = customer.written_check;
        if (customer.written_check == 0) customer.first_collected_at.reset();
      }
      ++outcome_.kills;
    } else {
      life_->stop();
      ++outcome_.restarts;
    }
    started_before_ += life_->transport().started();
    completed_before_ += life_->transport().completed();
    life_.reset();
  }

  // Keeps the counts of the account, whose counters are about to end.
  void carry(const Customer& customer) {
    const gateway::AccountCounters counters = account(customer)->view().counters;
    for (const auto& [key, count] : counters.api_requests) requests_before_ += count;
    for (const auto& [key, count] : counters.collections) collections_before_ += count;
  }

  std::optional<gateway::ConfiguredAccount> account(const Customer& customer) {
    return life_->gateway().account(customer.name);
  }

  // --- time

  void live_through_a_minute() {
    const SteadyTime begin = clock_.steady_now();
    disturb();
    if (minute_ % 17 == 16) reload();
    // The first life is long enough for everybody's initial collection.
    if (minute_ % 300 == 50) restart(/*kill=*/false);
    if (minute_ % 300 == 80) restart(/*kill=*/true);
    want_a_sample();
    for (const Scrape& scrape : scrapes_) {
      let_pass_until(begin + scrape.offset);
      this->scrape(*scrape.customer);
      if (!outcome_.wrong.empty()) return;
    }
    let_pass_until(begin + minutes(1));
    life_->history().flush();
    for (Customer& customer : customers_) customer.written_check = customer.last_check;
  }

  void let_pass_until(SteadyTime until) {
    while (clock_.steady_now() < until) {
      life_->turn(Deadline::at(until));
      const auto second = std::chrono::floor<seconds>(now());
      if (second != ticked_) life_->routes().tick();
      ticked_ = second;
      if (!sampled_.empty()) end_samples();
    }
  }

  void restart(bool kill) {
    end_life(kill);
    begin_life();
  }

  // --- what goes wrong

  void touch(Customer& customer) { customer.disturbed_until = now(); }

  template <typename Do>
  void for_matching(const std::string& pattern, Do what) {
    for (Customer& customer : customers_) {
      if (glob_matches(pattern, customer.name)) what(customer);
    }
  }

  void begin_trouble(const std::string& pattern, minutes length, bool details, std::function<void()> end) {
    for_matching(pattern, [&](Customer& customer) {
      ++customer.faults;
      touch(customer);
    });
    troubles_.push_back({now() + length, pattern, details, std::move(end)});
    ++outcome_.faults;
  }

  void disturb() {
    for (auto trouble = troubles_.begin(); trouble != troubles_.end();) {
      if (trouble->until > now()) {
        ++trouble;
        continue;
      }
      trouble->end();
      for_matching(trouble->pattern, [&](Customer& customer) {
        --customer.faults;
        touch(customer);
      });
      if (trouble->details) details_ended_ = now();
      trouble = troubles_.erase(trouble);
    }
    if (minute_ < 5) return;
    if (random_.happens(0.12)) add_fault();
    if (random_.happens(0.05)) refuse_a_token();
    if (random_.happens(0.1)) rotate_a_token();
  }

  Customer& anyone() { return customers_[random_.below(customers_.size())]; }

  void add_fault() {
    const Mishap& mishap = kMishaps[random_.below(kMishaps.size())];
    if (mishap.details &&
        (now() - details_ended_ < hours(1) || std::ranges::any_of(troubles_, &Trouble::details))) {
      return;
    }
    std::string pattern = anyone().name;
    minutes length(mishap.details ? 7 : 3 + random_.below(180));
    if (!mishap.details && random_.happens(0.4)) {
      pattern = "*" + std::to_string(random_.below(10));  // a tenth of them
      length = minutes(3 + random_.below(40));
    } else if (!mishap.details && random_.happens(0.15)) {
      pattern = "*";
      length = minutes(3 + random_.below(25));
    }
    const SimulatorsOwn own;
    const Result<std::uint64_t> number = api_.add_fault(std::string(mishap.rule) + ",account=" + pattern);
    if (!number) return fail(number.error().message);
    begin_trouble(pattern, length, mishap.details, [this, fault = *number] { api_.remove_fault(fault); });
  }

  void refuse_a_token() {
    Customer& customer = anyone();
    const int status = random_.happens(0.5) ? 401 : 403;
    with(customer, [&](simulator::Account& account) { account.refused = status; });
    begin_trouble(customer.name, minutes(5 + random_.below(100)), false, [this, &customer] {
      with(customer, [](simulator::Account& account) { account.refused.reset(); });
    });
  }

  // The API accepts the new token at once; the gateway's file or variable follows up to some minutes later.
  void rotate_a_token() {
    Customer& customer = anyone();
    std::string token =
        std::string(kTokenPrefix) + customer.name + "-" + std::to_string(++outcome_.rotations);
    with(customer, [&](simulator::Account& account) { account.token = token; });
    customer.token_changed = true;
    begin_trouble(customer.name, minutes(random_.below(5)), false,
                  [this, &customer, token] { put_token(customer, token); });
  }

  // --- reloads

  void reload() {
    if (random_.happens(0.25)) {
      folder_.write("accounts.d/part-0.toml", "[accounts.customer_0000]\ntoken_fil = \"x\"\n");
      if (post("/-/reload").status != 500) return fail("a reload of a broken file succeeded");
    }
    std::set<Customer*> changed;
    for (Customer& customer : customers_) {
      if (!customer.configured && random_.happens(0.5)) {
        customer.configured = true;
        customer.begins_anew();
        changed.insert(&customer);
      }
    }
    for (std::size_t i = 0; i < 1 + customers_.size() / 50; ++i) {
      Customer& gone = anyone();
      if (gone.configured && !changed.contains(&gone)) {
        carry(gone);
        gone.configured = false;
        changed.insert(&gone);
      }
      Customer& other = anyone();
      if (other.configured && !changed.contains(&other)) {
        ++other.revision;
        other.max_age = hours(random_.happens(0.5) ? 36 : 30);
        if (account(other)->view().record.in_progress) ++other.cancelled;
        other.latest = {};
        changed.insert(&other);
      }
    }
    for (Customer* customer : changed) {
      touch(*customer);
      customer->sample.reset();
    }
    write_configuration();
    if (const http::Response response = post("/-/reload"); response.status != 200)
      return fail("a reload was refused: " + *response.body);
    ++outcome_.reloads;
  }

  // --- the clients

  http::Response ask(std::string method, std::string path, std::vector<http::NamedValue> query = {}) {
    http::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    // Time stands still while a request is handled, so no request can wait.
    request.headers = {{"X-Prometheus-Scrape-Timeout-Seconds", "0.000001"}};
    request.peer_address = "127.0.0.1";
    request.peer_is_loopback = true;
    request.authority = "gateway.example.com:8000";
    return life_->routes().answer(request);
  }
  http::Response post(std::string path) { return ask("POST", std::move(path)); }

  void scrape(Customer& customer) {
    const http::Response response = ask("GET", "/probe", {{"account", customer.name}});
    ++answers_;
    if (!customer.configured) {
      ++unknown_accounts_;
      if (response.status != 404) fail(customer, "is not configured, and answered");
      return;
    }
    ++customer.probes;
    if (response.status != 200 || !response.body)
      return fail(customer, "answered " + std::to_string(response.status));
    Reading reading = read_answer(*response.body);
    check(customer, reading);
    if (reading.last_attempt && reading.last_attempt != customer.latest.last_attempt) {
      ++customer.started;
      if (customer.wanted && reading.in_progress == 1) begin_sample(customer);
    }
    if (reading.last_check.value_or(0) > customer.last_check) {
      customer.last_check = *reading.last_check;
      if (customer.disturbed_until < instant(customer.last_check)) customer.token_changed = false;
      if (!customer.first_collected_at) customer.first_collected_at = instant(customer.last_check);
    }
    customer.latest = std::move(reading);
    customer.latest_at = now();
    if (!log_lines_.leaked.empty()) fail("a token is in the log: " + log_lines_.leaked);
  }

  static SystemTime instant(double unix_seconds) {
    return SystemTime(milliseconds(std::llround(unix_seconds * 1e3)));
  }

  void check(const Customer& customer, const Reading& reading) {
    if (!reading.wrong.empty()) return fail(customer, reading.wrong);
    if (!reading.probe_success || !reading.in_progress) return fail(customer, "the answer is not whole");
    const double last_check = reading.last_check.value_or(0);
    if (last_check < customer.last_check) {
      return fail(customer, "sqlbak_last_check_timestamp went back from " +
                                format_time(instant(customer.last_check)) + " to " +
                                format_time(instant(last_check)));
    }
    const milliseconds age = now() - instant(last_check);
    if (last_check > 0) {
      if (age <= customer.max_stale && reading.data_series == 0) return fail(customer, "good data are gone");
      if (age > customer.max_stale && reading.data_series > 0)
        return fail(customer, "data older than max_stale are shown");
    }
    const Reading& before = customer.latest;
    if (last_check > 0 && before.last_check == last_check && before.data_series > 0 &&
        reading.data_series > 0) {
      if (before.judged != reading.judged)
        return fail(customer, "what was judged changed without another collection");
      const double passed =
          std::chrono::duration<double, std::ratio<3600>>(now() - customer.latest_at).count();
      const double grown = passed * static_cast<double>(before.ages);
      // Answers within the same second come from the response cache.
      const double second = (1 + static_cast<double>(before.ages)) / 3600;
      // If the API's clock is ahead, a run may start in our future. Its age stays zero until then.
      const double least = grown - passed * static_cast<double>(before.ages_of_zero);
      const double more = reading.age_hours - before.age_hours;
      if (before.ages != reading.ages || more < least - second || more > grown + second) {
        return fail(customer, "ages do not grow with time: " + std::to_string(before.ages) + " together " +
                                  std::to_string(before.age_hours) + " h, then " +
                                  std::to_string(reading.ages) + " together " +
                                  std::to_string(reading.age_hours) + " h after " + std::to_string(passed) +
                                  " h; last check " + format_time(instant(last_check)));
      }
    }
    if (is_well(customer) && now() - life_began_ > kRecovery) {
      if (reading.probe_success != 1) return fail(customer, "nothing is wrong, and it does not recover");
      if (age > kCacheTtl + minutes(2)) return fail(customer, "is not collected any more");
    }
  }

  // --- the truth

  void want_a_sample() {
    for (int attempt = 0; attempt < 8; ++attempt) {
      Customer& customer = anyone();
      if (!customer.settings_at_once || !customer.configured || !is_well(customer)) continue;
      customer.wanted = true;
      return;
    }
  }
  // Whatever went wrong before must be over.
  bool is_well(const Customer& customer) const {
    return customer.faults == 0 && now() - customer.disturbed_until > kRecovery;
  }

  Series truth(const Customer& customer, SystemTime collected_at, SystemTime answered_at,
               std::optional<SystemTime> first_collected_at) {
    simulator::Question question{.collected_at = collected_at, .answered_at = answered_at};
    question.max_age["full"] = customer.max_age;
    question.first_collected_at = first_collected_at;
    return with(customer, [&](simulator::Account& account) {
      Series series = simulator::published_truth(account, simulator::Knobs{}, question);
      series.merge(simulator::own_truth(account, simulator::Knobs{}, question));
      return series;
    });
  }

  void begin_sample(Customer& customer) {
    customer.wanted = false;
    if (!is_well(customer) || !customer.first_collected_at) return;
    customer.sample = {now(), truth(customer, now(), now(), customer.first_collected_at)};
    sampled_.insert(&customer);
  }

  void end_samples() {
    for (auto each = sampled_.begin(); each != sampled_.end();) {
      Customer& customer = **each;
      if (customer.sample && account(customer)->view().record.in_progress) {
        ++each;
        continue;
      }
      each = sampled_.erase(each);
      if (customer.sample) end_sample(customer, *std::exchange(customer.sample, std::nullopt));
    }
  }

  void end_sample(Customer& customer, const Customer::Sample& sample) {
    // It is undefined what a collection sees of an API that changes meanwhile.
    if (customer.disturbed_until >= sample.collected_at) return;
    const SystemTime at = sample.collected_at;
    if (truth(customer, at, at, customer.first_collected_at) != sample.truth) return;
    const http::Response response = ask("GET", "/probe", {{"account", customer.name}});
    ++customer.probes;
    ++answers_;
    if (response.body->find(kTokenPrefix) != std::string::npos)
      return fail(customer, "a token is in the answer");
    const Result<Series> seen = simulator::parse_exposition(*response.body);
    if (!seen) return fail(customer, seen.error().message);
    const Told told{.churns = customer.churns, .odd = customer.odd, .initial_jobs = customer.initial_jobs};
    const std::string wrong = difference_told(truth(customer, at, now(), customer.first_collected_at),
                                              truth(customer, at, now(), at), *seen, told);
    if (!wrong.empty())
      return fail(customer, "collected at " + format_time(at) + ", it does not tell the truth:\n" + wrong);
    ++truths_;
  }

  // --- taking stock

  void take_stock() {
    const http::Response response = ask("GET", "/metrics");
    const Result<Series> parsed = simulator::parse_exposition(*response.body);
    if (!parsed) return fail("/metrics: " + parsed.error().message);
    // By family and account, added up over the other labels.
    std::map<std::string, std::map<std::string, double>> sums;
    for (const auto& [key, value] : *parsed) {
      const std::size_t name_end = key.find('{');
      const std::size_t account_begin = key.find("account=\"");
      std::string account;
      if (account_begin != key.npos) {
        const std::size_t begin = account_begin + 9;
        account = key.substr(begin, key.find('"', begin) - begin);
      }
      sums[key.substr(0, name_end)][account] += value;
    }
    const auto total = [&](const std::string& family) {
      double sum = 0;
      for (const auto& [account, value] : sums[family]) sum += value;
      return static_cast<std::uint64_t>(sum);
    };
    const auto expect = [&](const std::string& what, std::uint64_t expected, std::uint64_t seen) {
      if (expected != seen)
        fail(what + ": expected " + std::to_string(expected) + ", seen " + std::to_string(seen));
    };
    std::size_t configured = 0;
    std::uint64_t series = 0;
    for (const Customer& customer : customers_) {
      series += customer.latest.series;
      if (!customer.configured) continue;
      ++configured;
      const bool runs = account(customer)->view().record.in_progress;
      expect("probes of " + customer.name, customer.probes,
             static_cast<std::uint64_t>(sums["sqlbak_gateway_probes_total"][customer.name]));
      expect("collections of " + customer.name, customer.started - customer.cancelled - (runs ? 1 : 0),
             static_cast<std::uint64_t>(sums["sqlbak_gateway_collections_total"][customer.name]));
    }
    expect("accounts", configured, total("sqlbak_gateway_accounts"));
    expect("probes of unknown accounts", unknown_accounts_,
           total("sqlbak_gateway_unknown_account_probes_total"));
    expect("API requests", completed_before_ + life_->transport().completed(),
           requests_before_ + total("sqlbak_gateway_api_requests_total"));
    expect("API requests that the API saw", started_before_ + life_->transport().started(),
           api_.request_count());
    expect("errors of the history", 0, total("sqlbak_gateway_history_errors_total"));

    SoakRow row;
    row.hours = static_cast<double>(minute_ + 1) / 60;
    if (const std::optional<HeapBytes> heap = heap_bytes()) {
      row.heap = heap->program;
      row.simulator = heap->simulator;
    }
    row.history = total("sqlbak_gateway_history_size_bytes");
    row.own_metrics = response.body->size();
    row.accounts = configured;
    row.series = series;
    row.answers = answers_;
    row.api_requests = api_.request_count();
    row.collections = collections_before_ + total("sqlbak_gateway_collections_total");
    row.truths = truths_;
    outcome_.rows.push_back(row);
  }

  void print_head() {
    if (plan_.table) {
      *plan_.table
          << "hours,heap,simulator,history,own_metrics,accounts,series,answers,api_requests,collections,"
             "truths,faults\n";
    }
  }
  void print(const SoakRow& row) {
    *plan_.table << row.hours << ',' << row.heap << ',' << row.simulator << ',' << row.history << ','
                 << row.own_metrics << ',' << row.accounts << ',' << row.series << ',' << row.answers << ','
                 << row.api_requests << ',' << row.collections << ',' << row.truths << ',' << outcome_.faults
                 << std::endl;
  }

  const SoakPlan plan_;
  Random random_;
  testing::ManualClock clock_;
  std::vector<Customer> customers_;
  simulator::Simulator api_;
  Folder folder_;
  std::map<std::string, std::string> environment_;
  config::Environment environment_of_ = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  config::TokenReader token_reader_{environment_of_};
  config::BoundedTokens tokens_{token_reader_, clock_};
  NoLeaks log_lines_;
  Logger log_{log_lines_, clock_, LogLevel::debug, LogFormat::logfmt};
  std::vector<Scrape> scrapes_;  // by their offset
  std::unique_ptr<Life> life_;
  SystemTime life_began_{};

  std::int64_t minute_ = 0;
  SystemTime ticked_{};
  std::vector<Trouble> troubles_;
  SystemTime details_ended_{};
  std::set<Customer*> sampled_;

  std::uint64_t answers_ = 0;
  std::uint64_t truths_ = 0;
  std::uint64_t unknown_accounts_ = 0;
  // Counts of former lives, and of accounts that were removed.
  std::uint64_t started_before_ = 0;
  std::uint64_t completed_before_ = 0;
  std::uint64_t requests_before_ = 0;
  std::uint64_t collections_before_ = 0;
  SoakOutcome outcome_;
};

// The mean of a column over the rows from one fraction of the soak to another.
double mean(const std::vector<SoakRow>& rows, std::uint64_t SoakRow::*column, double from, double to) {
  const auto n = static_cast<double>(rows.size());
  const auto begin = static_cast<std::size_t>(n * from);
  const auto end = static_cast<std::size_t>(n * to);
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += static_cast<double>(rows[i].*column);
  return end > begin ? sum / static_cast<double>(end - begin) : 0;
}

}  // namespace

SoakOutcome soak(const SoakPlan& plan) {
  return VirtualSoak(plan).run();
}

std::string what_grows(const std::vector<SoakRow>& rows, std::uint64_t heap_slack) {
  constexpr double kKindsOfTrouble = 1.25;          // each that an account meets is a series that stays
  constexpr std::uint64_t kHistorysLog = 4u << 20;  // it is cut back only now and then
  struct Column {
    std::string_view name;
    std::uint64_t SoakRow::*value;
    std::uint64_t slack;
    double factor = 1.1;
  };
  std::string grows;
  for (const Column& column :
       {Column{"heap", &SoakRow::heap, heap_slack}, Column{"history", &SoakRow::history, kHistorysLog},
        Column{"own metrics", &SoakRow::own_metrics, 0, kKindsOfTrouble}}) {
    const double before = mean(rows, column.value, 0.25, 0.5);
    const double after = mean(rows, column.value, 0.75, 1);
    if (after > before * column.factor + static_cast<double>(column.slack)) {
      grows.append(column.name)
          .append(" grew from ")
          .append(std::to_string(std::llround(before)))
          .append(" to ")
          .append(std::to_string(std::llround(after)))
          .append(" bytes\n");
    }
  }
  return grows;
}

}  // namespace sqlbak_gateway::soak
