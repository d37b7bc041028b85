#include "sqlbak_gateway/base/loopback.h"

#include "sqlbak_gateway/base/text.h"

#include <arpa/inet.h>
#include <string>

namespace sqlbak_gateway {

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return equal_ignoring_case(host, "localhost");
}

}  // namespace sqlbak_gateway
