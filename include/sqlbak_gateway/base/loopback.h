// Which hosts are this machine: a token may go there in the clear, and who listens only there needs no access
// rules. Pure.
#pragma once

#include <string_view>

namespace sqlbak_gateway {

// 127.0.0.0/8, ::1 and the name localhost; `host` has no brackets and no port. Anything else is not, names
// that happen to resolve there and other ways to write the addresses included.
bool is_loopback(std::string_view host);

}  // namespace sqlbak_gateway
