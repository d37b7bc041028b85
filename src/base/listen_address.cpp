#include "sqlbak_gateway/base/listen_address.h"

namespace sqlbak_gateway {

std::string to_text(const ListenAddress& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  return (bracketed ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

}  // namespace sqlbak_gateway
