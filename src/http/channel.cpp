#include "http/channel.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SecureStreamSocketImpl.h>
#include <openssl/err.h>

namespace sqlbak_gateway::http {
namespace {

constexpr std::size_t kMost = 1 << 30;  // bytes in one call; Poco counts in int

// The server's end of a TLS connection on an accepted socket. Poco makes these in SecureServerSocket only,
// with one context for the life of that socket; this one takes the current context, so that certificates can
// be renewed. NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): counted references delete it,
// nobody else may
class ServerEnd final : public Poco::Net::SecureStreamSocketImpl {
 public:
  ServerEnd(Poco::Net::StreamSocketImpl* accepted, const Poco::Net::Context::Ptr& context)
      : SecureStreamSocketImpl(accepted, context) {
    acceptSSL();
  }

 private:
  ~ServerEnd() override = default;
};

Poco::Net::StreamSocket server_end(const Poco::Net::StreamSocket& accepted,
                                   const Poco::Net::Context::Ptr& tls) {
  if (!tls) return accepted;
  auto* const implementation = static_cast<Poco::Net::StreamSocketImpl*>(accepted.impl());
  return Poco::Net::StreamSocket(new ServerEnd(implementation, tls));
}

}  // namespace

Channel::Channel(const Poco::Net::StreamSocket& accepted, const Poco::Net::Context::Ptr& tls)
    : tls_(tls), socket_(server_end(accepted, tls)) {}

template <typename Operation>
Channel::Progress Channel::attempt(Operation operation) {
  // Poco distinguishes TLS failures by errno and OpenSSL's queue of errors, and clears neither: what another
  // connection of this thread left there would end this one, or make Poco try again for ever (EINTR).
  errno = 0;
  if (tls()) ERR_clear_error();
  try {
    const int result = operation();
    if (result > 0) return {State::done, static_cast<std::size_t>(result)};
    if (result == 0) return {State::closed, 0};
    if (!tls()) return {State::wants_read, 0};  // only receiveBytes() returns below 0, for EAGAIN
    return {
        result == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? State::wants_write : State::wants_read,
        0};
  } catch (const Poco::Exception& exception) {
    if (!tls() && exception.code() == EAGAIN) return {State::wants_write, 0};  // how sendBytes() says it
    return {State::closed, 0};
  }
}

Channel::Progress Channel::handshake() {
  return attempt(
      [&] { return static_cast<Poco::Net::SecureStreamSocketImpl*>(socket_.impl())->completeHandshake(); });
}

Channel::Progress Channel::read(char* into, std::size_t room) {
  return attempt([&] { return socket_.receiveBytes(into, static_cast<int>(room)); });
}

Channel::Progress Channel::write(std::string_view first, std::string_view second) {
  if (tls() || first.empty() || second.empty()) {
    const std::string_view some = first.empty() ? second : first;
    return attempt(
        [&] { return socket_.sendBytes(some.data(), static_cast<int>(std::min(some.size(), kMost))); });
  }
  const auto buffer = [](std::string_view text) {  // an iovec serves both ways, and so is not const
    iovec vector{};
    vector.iov_base = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    vector.iov_len = std::min(text.size(), kMost);
    return vector;
  };
  const Poco::Net::SocketBufVec buffers{buffer(first), buffer(second)};
  return attempt([&] { return socket_.sendBytes(buffers); });
}

void Channel::end_output() {
  // TLS says goodbye first, so that the client can tell the end from a cut.
  if (tls()) {
    attempt([&] {
      socket_.shutdown();
      return 1;
    });
  }
  ::shutdown(socket_.impl()->sockfd(), SHUT_WR);
}

void Channel::close() {
  attempt([&] {
    socket_.close();
    return 1;
  });
}

}  // namespace sqlbak_gateway::http
