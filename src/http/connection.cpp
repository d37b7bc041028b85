#include "http/connection.h"

#include "http/response_head.h"

#include <array>
#include <utility>

namespace sqlbak_gateway::http {
namespace {

// A whole TLS record, so that no decrypted bytes stay behind that a poll would not report.
constexpr std::size_t kReadBytes = 16u << 10;
// After a refusal the server reads on for a moment: a close with unread bytes would reset the connection and
// take the answer from a client that is still sending.
constexpr Duration kDrainTime = std::chrono::seconds(2);
constexpr std::size_t kDrainBytes = 1u << 20;
// How much of an answer is written in one turn of the event thread. Three hundred clients that read large
// answers as fast as they can would else have it copy hundreds of megabytes between two health checks.
constexpr std::size_t kWriteBytesATurn = 64u << 10;

}  // namespace

Connection::Connection(const Limits& limits, const Observer& observer, const Clock& clock,
                       const Poco::Net::StreamSocket& accepted, const Poco::Net::Context::Ptr& tls,
                       Client client)
    : limits_(limits),
      observer_(observer),
      clock_(clock),
      channel_(accepted, tls),
      client_(std::move(client)),
      reader_(limits),
      phase_(channel_.tls() ? Phase::shaking_hands : Phase::reading) {
  allow(channel_.tls() ? limits.handshake_time : limits.request_time);
}

Connection::Wants Connection::advance() {
  switch (phase_) {
    case Phase::shaking_hands:
      return shake_hands();
    case Phase::reading:
      return read();
    case Phase::answering:
      return Wants::handler;
    case Phase::writing:
      return write(kWriteBytesATurn);
    case Phase::draining:
      return drain();
  }
  return Wants::closing;
}

Connection::Wants Connection::wait_for(Channel::State state) {
  switch (state) {
    case Channel::State::wants_read:
      return Wants::readable;
    case Channel::State::wants_write:
      return Wants::writable;
    case Channel::State::done:
    case Channel::State::closed:
      return Wants::closing;
  }
  return Wants::closing;
}

Connection::Wants Connection::shake_hands() {
  const Channel::Progress progress = channel_.handshake();
  if (progress.state == Channel::State::closed) reject(Rejection::handshake);
  if (progress.state != Channel::State::done) return wait_for(progress.state);
  phase_ = Phase::reading;
  allow(limits_.request_time);
  return read();
}

Connection::Wants Connection::read() {
  std::array<char, kReadBytes>
      bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled before it is read
  while (true) {
    Reading reading = reader_.next();
    if (auto* complete = std::get_if<Complete>(&reading)) {
      current_ = std::move(*complete);
      current_.request.tls = channel_.tls();
      current_.request.peer_address = client_.address;
      current_.request.peer_is_loopback = client_.loopback;
      phase_ = Phase::answering;
      deadline_ = Deadline::never();
      return Wants::handler;
    }
    if (auto* refused = std::get_if<Refused>(&reading)) return refuse(std::move(*refused));
    if (reader_.take_expectation()) {
      // The interim answer is so small that it fits into any buffer, unless the client does not read.
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const Channel::Progress progress = channel_.write(kContinue, {});
      if (progress.bytes != kContinue.size()) return Wants::closing;
    }
    const bool first = reader_.empty();
    const Channel::Progress progress = channel_.read(bytes.data(), bytes.size());
    if (progress.state != Channel::State::done) return wait_for(progress.state);
    if (first) allow(limits_.request_time);
    reader_.append({bytes.data(), progress.bytes});
  }
}

Connection::Wants Connection::refuse(Refused refused) {
  reject(refused.rejection);
  current_ = Complete{};
  Response response = text_response(refused.status, std::move(refused.text));
  return send(response, false);
}

Connection::Wants Connection::answer(const Response& response, bool last) {
  return send(response, current_.keep_alive && !last);
}

Connection::Wants Connection::send(const Response& response, bool keep) {
  keep_ = keep;
  const std::string_view connection = !keep ? "close" : current_.http_1_0 ? "keep-alive" : "";
  head_ = response_head(response, connection, clock_.system_now());
  body_ = current_.request.method == "HEAD" ? nullptr : response.body;
  sent_ = 0;
  phase_ = Phase::writing;
  allow(limits_.write_time);
  if (observer_.answered) observer_.answered(current_.request.path, response.status);
  return write(SIZE_MAX);
}

Connection::Wants Connection::write(std::size_t at_most) {
  const std::string_view head = head_;
  const std::string_view body = body_ ? std::string_view(*body_) : std::string_view();
  while (sent_ < head.size() + body.size()) {
    if (at_most == 0) return Wants::writable;
    const std::size_t head_sent = std::min(sent_, head.size());
    const Channel::Progress progress =
        channel_.write(head.substr(head_sent), body.substr(sent_ - head_sent, at_most));
    if (progress.state != Channel::State::done) return wait_for(progress.state);
    sent_ += progress.bytes;
    at_most -= std::min(at_most, progress.bytes);
  }
  return written();
}

Connection::Wants Connection::written() {
  body_.reset();
  current_ = Complete{};
  if (!keep_) {
    channel_.end_output();
    phase_ = Phase::draining;
    drained_ = 0;
    allow(kDrainTime);
    return drain();
  }
  phase_ = Phase::reading;
  if (reader_.empty()) {
    reader_.shrink();
    allow(limits_.idle_time);
    return Wants::readable;
  }
  allow(limits_.request_time);
  return read();
}

Connection::Wants Connection::drain() {
  std::array<char, kReadBytes> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): never looked at
  while (drained_ < kDrainBytes) {
    const Channel::Progress progress = channel_.read(bytes.data(), bytes.size());
    if (progress.state != Channel::State::done) return wait_for(progress.state);
    drained_ += progress.bytes;
  }
  return Wants::closing;
}

Connection::Wants Connection::time_out() {
  switch (phase_) {
    case Phase::shaking_hands:
      reject(Rejection::handshake);
      return Wants::closing;
    case Phase::reading:
      if (reader_.empty()) return Wants::closing;
      return refuse({408, Rejection::slow_request, "the request took too long to arrive\n"});
    case Phase::writing:
      reject(Rejection::slow_reader);
      return Wants::closing;
    case Phase::answering:
    case Phase::draining:
      return Wants::closing;
  }
  return Wants::closing;
}

void Connection::evict() {
  reject(Rejection::evicted);
  if (phase_ != Phase::reading || reader_.empty()) return;
  current_ = Complete{};
  send(text_response(503, "too many connections; try again\n"), false);
}

void Connection::reject(Rejection reason) const {
  if (observer_.rejected) observer_.rejected(reason);
}

}  // namespace sqlbak_gateway::http
