#include "simulator/simulator.h"

#include "simulator/endpoints.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace sqlbak_gateway::simulator {
namespace {

void lay_over(Wire& wire, const Wire& fault) {
  if (fault.header_byte_gap != Duration::zero()) wire.header_byte_gap = fault.header_byte_gap;
  if (fault.body_byte_gap != Duration::zero()) wire.body_byte_gap = fault.body_byte_gap;
  if (!fault.interim.empty()) wire.interim = fault.interim;
  if (fault.stop != Wire::Stop::nowhere) {
    wire.stop = fault.stop;
    wire.ending = fault.ending;
  }
  if (fault.extra_bytes != 0) wire.extra_bytes = fault.extra_bytes;
  wire.chunked = wire.chunked || fault.chunked;
  wire.gzip = wire.gzip || fault.gzip;
}

std::string whole_seconds(Duration duration) {
  return std::to_string(static_cast<std::int64_t>(std::ceil(to_seconds(duration))));
}

// What one fault makes of the reply; `api_now` is the time its Date header shows.
void spoil(Reply& reply, const Fault& fault, SystemTime api_now) {
  if (!fault.redirect.empty()) {
    reply = error_reply(302, "moved");
    reply.headers.emplace_back("Location", fault.redirect);
  }
  if (fault.status) {
    if (*fault.status == 200 || fault.redirect.empty() == false)
      reply.status = *fault.status;
    else
      reply = error_reply(*fault.status, "the simulator was told to fail");
  }
  if (fault.retry_after) {
    const auto at = api_now + std::chrono::duration_cast<std::chrono::milliseconds>(*fault.retry_after);
    reply.headers.emplace_back("Retry-After",
                               fault.retry_after_date ? http_date(at) : whole_seconds(*fault.retry_after));
  }
  reply.body = spoilt(fault.garbage, reply.body);
  reply.body.append(fault.pad, ' ');
}

}  // namespace

Simulator::Simulator(World world, const Clock& clock, Knobs knobs)
    : clock_(clock),
      world_(std::move(world)),
      knobs_(knobs),
      anchor_(clock.system_now()),
      anchor_steady_(clock.steady_now()) {}

SystemTime Simulator::world_now() const {
  const double elapsed = to_seconds(clock_.steady_now() - anchor_steady_) * speed_;
  return anchor_ + std::chrono::milliseconds(std::llround(elapsed * 1e3));
}

void Simulator::set_anchor(SystemTime now) {
  anchor_ = now;
  anchor_steady_ = clock_.steady_now();
}

void Simulator::advance_accounts() {
  const SystemTime now = world_now();
  for (const auto& [name, account] : world_.accounts()) account->advance_to(now);
}

SystemTime Simulator::now() const {
  MutexLock lock(mutex_);
  return world_now();
}

void Simulator::advance(std::chrono::milliseconds by) {
  MutexLock lock(mutex_);
  set_anchor(world_now() + std::max(by, std::chrono::milliseconds(0)));
}

void Simulator::set_speed(double virtual_seconds_per_second) {
  MutexLock lock(mutex_);
  set_anchor(world_now());
  speed_ = std::max(0.0, virtual_seconds_per_second);
}

Reply Simulator::answer(const Request& request) {
  MutexLock lock(mutex_);
  const SystemTime now = world_now();
  const SystemTime api_now = now + knobs_.clock_skew;
  const bool below_prefix = request.target.starts_with(kApiPrefix);
  const std::string_view target = below_prefix ? request.target.substr(kApiPrefix.size()) : request.target;
  const Route route = below_prefix ? route_of(target) : Route{};
  Account* account = request.token ? world_.find_by_token(*request.token) : nullptr;
  const std::string_view account_name =
      account == nullptr ? std::string_view() : std::string_view(account->name);
  const auto faults = faults_.striking({route.endpoint, account_name, target}, now);

  ListFaults lists;
  Wire wire;
  std::optional<Duration> wait;
  for (const Fault* fault : faults) {
    lists.endless = lists.endless || fault->endless;
    if (fault->shift != 0) lists.shift = fault->shift;
    lists.late = std::max(lists.late, fault->late);
    wire.delay += fault->latency;
    if (fault->jitter > Duration::zero()) {
      wire.delay += std::chrono::duration_cast<Duration>(fault->jitter * faults_.random().unit());
    }
    lay_over(wire, fault->wire);
    if (fault->rate > 0 && !wait) wait = faults_.over_rate(*fault, account_name, clock_.steady_now());
  }

  Reply reply;
  if (account == nullptr) {
    reply = error_reply(401, "the token is missing or unknown");
  } else if (account->refused) {
    reply = error_reply(*account->refused, "the token was revoked");
  } else if (request.method != "GET" && request.method != "HEAD") {
    reply = error_reply(405, "the API is for reading");
    reply.headers.emplace_back("Allow", "GET, HEAD");
  } else if (wait) {
    reply = error_reply(429, "too many requests");
    reply.headers.emplace_back("Retry-After", whole_seconds(*wait));
  } else {
    account->advance_to(now);
    reply = answer_endpoint(*account, knobs_, lists, route, target);
  }
  for (const Fault* fault : faults) spoil(reply, *fault, api_now);
  reply.headers.emplace_back("Date", http_date(api_now));
  reply.wire = std::move(wire);
  reply.wire.gzip = reply.wire.gzip || (knobs_.gzip && request.accepts_gzip);

  const bool answered = reply.wire.stop == Wire::Stop::nowhere || reply.wire.stop == Wire::Stop::in_body;
  log({now, clock_.steady_now(), std::string(account_name), std::string(route.endpoint), std::string(target),
       answered ? reply.status : 0});
  return reply;
}

void Simulator::log(LoggedRequest request) {
  ++counts_[{request.account, request.endpoint}];
  if (log_.size() == kLogged) log_.pop_front();
  log_.push_back(std::move(request));
}

Knobs Simulator::knobs() const {
  MutexLock lock(mutex_);
  return knobs_;
}

void Simulator::set_knobs(const Knobs& knobs) {
  MutexLock lock(mutex_);
  knobs_ = knobs;
}

Result<std::uint64_t> Simulator::add_fault(std::string_view rule) {
  MutexLock lock(mutex_);
  Result<Fault> fault = parse_fault(rule, world_now());
  if (!fault) return fault.error();
  return faults_.add(std::move(*fault));
}

void Simulator::remove_fault(std::uint64_t number) {
  MutexLock lock(mutex_);
  faults_.remove(number);
}

void Simulator::clear_faults() {
  MutexLock lock(mutex_);
  faults_.clear();
}

std::vector<Faults::Count> Simulator::fault_counts() const {
  MutexLock lock(mutex_);
  return faults_.counts();
}

std::vector<LoggedRequest> Simulator::requests() const {
  MutexLock lock(mutex_);
  return {log_.begin(), log_.end()};
}

std::uint64_t Simulator::request_count(std::string_view account, std::string_view endpoint) const {
  MutexLock lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [who, count] : counts_) {
    if (glob_matches(account, who.first) && glob_matches(endpoint, who.second)) sum += count;
  }
  return sum;
}

std::map<std::pair<std::string, std::string>, std::uint64_t> Simulator::request_counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

void Simulator::forget_requests() {
  MutexLock lock(mutex_);
  counts_.clear();
  log_.clear();
}

}  // namespace sqlbak_gateway::simulator
