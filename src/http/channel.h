// Channel: moves the bytes of one accepted connection, plain or TLS, and never waits. Poco's sockets and
// their exceptions stay in here.
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
    std::size_t bytes = 0;  // how many were moved; 0 unless `done`
  };

  bool tls() const { return !tls_.isNull(); }
  Progress handshake();
  Progress read(char* into, std::size_t room);
  // Writes as much of `first` and then `second` as the network takes. After wants_write the next call must
  // begin with the same bytes.
  Progress write(std::string_view first, std::string_view second);
  // Tells the client that no more output will come. It may still send.
  void end_output();
  // Ends both directions and closes the descriptor, even if the socket object is held elsewhere.
  void close();

  // For the poll set. The descriptor lives as long as the channel.
  const Poco::Net::StreamSocket& socket() const { return socket_; }

 private:
  template <typename Operation>
  Progress attempt(Operation operation);

  // Outlives the socket's own reference, so that the last one is released here: ThreadSanitizer does not see
  // into Poco's library, and takes a last release in there for a race with the listener's on another thread.
  Poco::Net::Context::Ptr tls_;  // null: plain
  Poco::Net::StreamSocket socket_;
};

}  // namespace sqlbak_gateway::http
