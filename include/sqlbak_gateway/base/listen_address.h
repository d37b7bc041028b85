// Where to listen: the configuration names it, the server binds it.
#pragma once

#include <cstdint>
#include <string>

namespace sqlbak_gateway {

// Value type. Host names are not resolved.
struct ListenAddress {
  std::string host;        // an IP address without brackets, or a host name
  std::uint16_t port = 0;  // 0 for any free port
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// "127.0.0.1:8000", "[::]:8000", "localhost:8000".
std::string to_text(const ListenAddress& address);

}  // namespace sqlbak_gateway
