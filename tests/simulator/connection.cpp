#include "simulator/connection.h"

#include "sqlbak_gateway/base/text.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <sys/socket.h>

#include <openssl/err.h>

namespace sqlbak_gateway::simulator {
namespace {

constexpr std::size_t kMostHeadBytes = 16u << 10;
constexpr std::size_t kMostBodyBytes = 1u << 20;

struct Head {
  std::string_view method;
  std::string_view target;
  bool keep_alive = true;
  std::optional<std::string_view> token;
  bool accepts_gzip = false;
  std::size_t body_bytes = 0;
  bool well_formed = false;
};

// `text` ends before the empty line.
Head parse_head(std::string_view text) {
  Head head;
  std::string_view line = text.substr(0, text.find("\r\n"));
  text.remove_prefix(std::min(line.size() + 2, text.size()));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || last == first) return head;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return head;
  head.keep_alive = version == "HTTP/1.1";
  head.well_formed = true;
  while (!text.empty()) {
    line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(line.size() + 2, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "x-sqlbak-token")) {
      head.token = value;
    } else if (equal_ignoring_case(name, "connection")) {
      if (equal_ignoring_case(value, "close")) head.keep_alive = false;
      if (equal_ignoring_case(value, "keep-alive")) head.keep_alive = true;
    } else if (equal_ignoring_case(name, "accept-encoding")) {
      head.accepts_gzip = value.find("gzip") != value.npos;
    } else if (equal_ignoring_case(name, "content-length")) {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head.body_bytes);
      if (error != std::errc() || end != value.data() + value.size()) head.well_formed = false;
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      head.well_formed = false;  // no client of the API sends a body
    }
  }
  return head;
}

}  // namespace

Connection::Connection(Socket socket, SSL_CTX* tls, const Clock& clock, Answer answer)
    : socket_(std::move(socket)), clock_(clock), answer_(std::move(answer)) {
  if (tls == nullptr) return;
  tls_.reset(SSL_new(tls));
  SSL_set_fd(tls_.get(), socket_.fd());
  SSL_set_accept_state(tls_.get());
}

Connection::Wish Connection::on_ready() {
  // Also while an answer is under way: a peer that goes away ends the connection.
  if (receive() == Io::ended) peer_ended_ = true;
  return go_on();
}

Connection::Wish Connection::on_wake() {
  wake_at_.reset();
  return go_on();
}

Connection::Wish Connection::go_on() {
  while (!closed_ && !wake_at_ && !silent_) {
    if (busy_ ? !play() : !take_request()) break;
  }
  if (peer_ended_ && (!busy_ || silent_)) closed_ = true;
  Wish wish;
  wish.done = closed_;
  wish.read = !peer_ended_ && in_.size() < kMostBodyBytes + kMostHeadBytes;
  wish.write = sent_ < out_.size() || tls_wants_write_;
  wish.wake_at = wake_at_;
  return wish;
}

Connection::Io Connection::receive() {
  std::array<char, 16384> buffer;
  tls_wants_write_ = false;
  while (true) {
    ssize_t got = 0;
    if (tls_) {
      ERR_clear_error();
      got = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) {
        const int error = SSL_get_error(tls_.get(), static_cast<int>(got));
        tls_wants_write_ = error == SSL_ERROR_WANT_WRITE;
        if (error == SSL_ERROR_WANT_READ || tls_wants_write_) return Io::would_block;
        closed_ = true;
        return Io::ended;
      }
    } else {
      got = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return Io::would_block;
      closed_ = got < 0;
      if (got <= 0) return Io::ended;
    }
    if (!silent_) in_.append(buffer.data(), static_cast<std::size_t>(got));
    if (in_.size() >= kMostBodyBytes + kMostHeadBytes) return Io::progress;
    if (!tls_ && static_cast<std::size_t>(got) < buffer.size()) return Io::progress;
  }
}

Connection::Io Connection::send_some() {
  while (sent_ < out_.size()) {
    ssize_t put = 0;
    if (tls_) {
      ERR_clear_error();
      put = SSL_write(tls_.get(), out_.data() + sent_, static_cast<int>(out_.size() - sent_));
      if (put <= 0) {
        const int error = SSL_get_error(tls_.get(), static_cast<int>(put));
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Io::would_block : Io::ended;
      }
    } else {
      put = send(socket_.fd(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return errno == EAGAIN ? Io::would_block : Io::ended;
    }
    sent_ += static_cast<std::size_t>(put);
  }
  out_.clear();
  sent_ = 0;
  return Io::progress;
}

// Begins to answer the next request; false when there is no whole one yet.
bool Connection::take_request() {
  const std::size_t blank = in_.find("\r\n\r\n");
  if (blank == in_.npos) {
    if (in_.size() <= kMostHeadBytes) return false;
    refuse(431);
    return true;
  }
  const Head head = parse_head(std::string_view(in_).substr(0, blank));
  if (!head.well_formed || head.body_bytes > kMostBodyBytes) {
    refuse(400);
    return true;
  }
  if (in_.size() < blank + 4 + head.body_bytes) return false;
  Request request;
  request.method = head.method;
  request.target = head.target;
  request.token = head.token;
  request.body = std::string_view(in_).substr(blank + 4, head.body_bytes);
  request.accepts_gzip = head.accepts_gzip;
  Script script = script_of(answer_(request), head.keep_alive, head.method == "HEAD");
  in_.erase(0, blank + 4 + head.body_bytes);
  for (Script::Part& part : script.parts) parts_.push_back(std::move(part));
  end_ = script.end;
  busy_ = true;
  return true;
}

void Connection::refuse(int status) {
  Reply reply;
  reply.status = status;
  Script script = script_of(reply, false, false);
  parts_.push_back(std::move(script.parts.front()));
  end_ = Script::End::close;
  busy_ = true;
  in_.clear();
}

// Says the next piece of the answer; false when it has to wait.
bool Connection::play() {
  if (const Io io = send_some(); io != Io::progress) {
    if (io == Io::ended) closed_ = true;
    return false;
  }
  if (parts_.empty()) {
    end(end_);
    return true;
  }
  Script::Part& part = parts_.front();
  if (part.wait > Duration::zero()) {
    wake_at_ = clock_.steady_now() + std::exchange(part.wait, Duration::zero());
    return false;
  }
  if (part.byte_gap == Duration::zero() || part.bytes.empty()) {
    out_ = std::move(part.bytes);
    parts_.pop_front();
    return true;
  }
  out_.assign(1, part.bytes.front());
  part.bytes.erase(0, 1);
  part.wait = part.bytes.empty() ? Duration::zero() : part.byte_gap;
  return true;
}

void Connection::end(Script::End how) {
  busy_ = false;
  switch (how) {
    case Script::End::keep:
      return;
    case Script::End::silence:
      silent_ = busy_ = true;
      return;
    case Script::End::close:
      if (tls_) SSL_shutdown(tls_.get());
      closed_ = true;
      return;
    case Script::End::reset: {
      const linger now{1, 0};  // close() sends RST and drops what is unsent
      setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      closed_ = true;
      return;
    }
  }
}

}  // namespace sqlbak_gateway::simulator
