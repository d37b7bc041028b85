// Channel: the bytes of one accepted connection, plain or TLS, never waiting. Poco's sockets and their
// exceptions end here.
#pragma once

#include <cstddef>
#include <string_view>

#include <Poco/Net/Context.h>
#include <Poco/Net/StreamSocket.h>

namespace sqlbak_gateway::http {

// Resource type; used by one thread at a time.
class Channel {
 public:
  // `tls` null: plain.
  Channel(const Poco::Net::StreamSocket& accepted, const Poco::Net::Context::Ptr& tls);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class State { done, wants_read, wants_write, closed };
  struct Progress {
    State state = State::done;
    std::size_t bytes = 0;  // with done: how many, never 0
  };

  bool tls() const { return !tls_.isNull(); }
  Progress handshake();
  Progress read(char* into, std::size_t room);
  // As much of `first` and then `second` as goes at once. After wants_write the rest must be the same bytes.
  Progress write(std::string_view first, std::string_view second);
  // No more output will come; the client may still send.
  void end_output();
  // Ends both directions and gives the descriptor back, whoever else holds the socket.
  void close();

  // For the poll set. The descriptor lives as long as the channel.
  const Poco::Net::StreamSocket& socket() const { return socket_; }

 private:
  template <typename Operation>
  Progress attempt(Operation operation);

  // Outlives the socket's own reference, so that the last one is given up here: ThreadSanitizer does not see
  // into Poco's library, and would take its last release on one thread for a race with a listener's on
  // another.
  Poco::Net::Context::Ptr tls_;  // null: plain
  Poco::Net::StreamSocket socket_;
};

}  // namespace sqlbak_gateway::http
