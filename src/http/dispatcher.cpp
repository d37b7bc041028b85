#include "http/dispatcher.h"

#include <chrono>
#include <cstdint>
#include <poll.h>
#include <string>
#include <utility>

namespace sqlbak_gateway::http {
namespace {

// A worker that has answered keeps the connection for a moment: a client that asks again at once is then
// served without the event thread and two changes of thread, which halves the CPU time of its requests
// (bench/figures/http.md).
constexpr std::chrono::milliseconds kLinger{10};
constexpr std::size_t kLingeringThreads = 8;

bool readable(const Connection& connection, std::chrono::milliseconds patience) {
  pollfd polled{connection.socket().impl()->sockfd(), POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

Dispatcher::Dispatcher(const Limits& limits)
    : ordinary_{Urgency::ordinary, kLingeringThreads, limits.max_requests_in_flight,
                std::make_shared<Workers>(limits.max_requests_in_flight + kLingeringThreads,
                                          Workers::Priority::low)},
      urgent_{Urgency::urgent, 0, SIZE_MAX,
              std::make_shared<Workers>(limits.urgent_threads, Workers::Priority::normal)} {}

void Dispatcher::set_max_requests_in_flight(std::size_t requests) {
  ordinary_.max_requests = requests;
  ordinary_.workers->set_max_threads(requests + kLingeringThreads);
}

std::optional<Connection::Wants> Dispatcher::dispatch(const ConnectionPtr& connection) {
  const Urgency urgency = urgency_of(*connection);
  if (urgency == Urgency::immediate) return connection->answer(respond(*connection), stopping_);
  Pool& pool = pool_for(urgency);
  if (admit(pool)) {
    connection->owner.set_worker(true);
    auto job = [self = shared_from_this(), connection, &pool] { self->answer(connection, pool); };
    if (pool.workers->submit(std::move(job))) return std::nullopt;
    --pool.in_flight;
    connection->owner.set_worker(false);
  }
  if (service_.observer.rejected) service_.observer.rejected(Rejection::busy);
  return connection->answer(busy(), stopping_);
}

Urgency Dispatcher::urgency_of(const Connection& connection) const {
  return service_.triage ? service_.triage(connection.request().path) : Urgency::ordinary;
}

bool Dispatcher::admit(Pool& pool) {
  if (++pool.in_flight <= pool.max_requests) return true;
  --pool.in_flight;
  return false;
}

Response Dispatcher::respond(const Connection& connection) const {
  try {
    return service_.handler(connection.request());
  } catch (...) {
    return text_response(500, "internal error; the gateway's log may say more\n");
  }
}

Response Dispatcher::busy() const {
  Response response = text_response(503, "the server is busy: " + std::to_string(ordinary_.max_requests) +
                                             " requests are being answered, which is the limit; try again\n");
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

void Dispatcher::trim() {
  ordinary_.workers->trim();
  urgent_.workers->trim();
}

std::size_t Dispatcher::cut() {
  cut_ = true;
  const std::size_t ordinary_left = ordinary_.running;
  const std::size_t urgent_left = urgent_.running;
  ordinary_.workers->stop(ordinary_left);
  urgent_.workers->stop(urgent_left);
  return ordinary_left + urgent_left;
}

// --- The workers ---

void Dispatcher::answer(const ConnectionPtr& connection, Pool& pool) {
  for (bool first = true;; first = false) {
    ++pool.running;
    Response response;
    if (!cut_) response = respond(*connection);
    const bool abandoned = cut_;  // nobody waits any more, and what the observer tells may be gone
    Wants wants = Wants::closing;
    if (!abandoned) {
      --pool.in_flight;
      wants = connection->answer(response, stopping_);
    }
    --pool.running;
    if (abandoned) return;
    if (wants == Wants::readable && pool.lingering > 0 && linger(*connection)) wants = connection->advance();
    const bool ours = wants == Wants::handler && urgency_of(*connection) == pool.serves;
    if (!ours || !admit(pool)) {
      give_back(connection, wants, first);
      return;
    }
  }
}

bool Dispatcher::linger(const Connection& connection) {
  if (!connection.idle() || stopping_) return false;
  if (++lingering_ > kLingeringThreads) {
    --lingering_;
    return false;
  }
  const bool more = readable(connection, kLinger);
  --lingering_;
  return more;
}

void Dispatcher::give_back(const ConnectionPtr& connection, Wants wants, bool touched) {
  {
    MutexLock lock(connection->owner.mutex);
    if (wants == Wants::readable && touched && !connection->owner.unpolled && !stopping_) {
      connection->owner.worker = false;
      return;
    }
  }
  inbox_.give_back(connection, wants);
}

}  // namespace sqlbak_gateway::http
