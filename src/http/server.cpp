#include "sqlbak_gateway/http/server.h"

#include "http/event_loop.h"

#include <exception>
#include <sys/resource.h>
#include <utility>

namespace sqlbak_gateway::http {

std::string_view name(Rejection rejection) {
  switch (rejection) {
    case Rejection::busy:
      return "busy";
    case Rejection::malformed:
      return "malformed";
    case Rejection::uri_too_long:
      return "uri_too_long";
    case Rejection::headers_too_large:
      return "headers_too_large";
    case Rejection::body_too_large:
      return "body_too_large";
    case Rejection::slow_request:
      return "slow_request";
    case Rejection::slow_reader:
      return "slow_reader";
    case Rejection::handshake:
      return "handshake";
    case Rejection::evicted:
      return "evicted";
    case Rejection::descriptors:
      return "descriptors";
  }
  return "";
}

namespace {

Error cannot_start(const std::exception& why) {
  return Error{"the server cannot start: " + std::string(why.what()) +
               "; the process may lack descriptors, threads or memory"};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(const std::vector<Listener>& listeners, const Limits& limits,
                                             const Clock& clock) {
  Result<std::vector<PreparedListener>> prepared = prepare(listeners);
  if (!prepared) return prepared.error();
  try {
    std::unique_ptr<Server> server(new Server(std::make_unique<EventLoop>(limits, clock), clock));
    if (const Result<void> bound = server->loop_->bind(std::move(*prepared)); !bound) return bound.error();
    return server;
  } catch (const std::exception& exception) {
    return cannot_start(exception);
  }
}

Server::Server(std::unique_ptr<EventLoop> loop, const Clock& clock) : loop_(std::move(loop)), clock_(clock) {}

Server::~Server() {
  loop_->stop(Deadline::after(clock_.steady_now(), std::chrono::seconds(1)));
}

std::vector<std::uint16_t> Server::ports() const {
  return loop_->ports();
}

Result<void> Server::serve(Service service) {
  try {
    loop_->start(std::move(service));
    return {};
  } catch (const std::exception& exception) {
    return cannot_start(exception);
  }
}

Result<void> Server::rebind(const std::vector<Listener>& listeners) {
  Result<std::vector<PreparedListener>> prepared = prepare(listeners);
  if (!prepared) return prepared.error();
  return loop_->rebind(std::move(*prepared));
}

void Server::resume() {
  loop_->resume();
}

void Server::set_max_requests_in_flight(std::size_t requests) {
  loop_->set_max_requests_in_flight(requests);
}

std::optional<SystemTime> Server::certificate_expiry() const {
  return loop_->certificate_expiry();
}

Server::Load Server::load() const {
  return loop_->load();
}

bool Server::turned_since_last_asked() {
  return loop_->turned_since_last_asked();
}

Server::Stopped Server::stop(Deadline deadline) {
  return loop_->stop(deadline);
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace sqlbak_gateway::http
