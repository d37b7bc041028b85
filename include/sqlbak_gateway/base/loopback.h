// Tells which hosts are this machine. A token may go there without TLS, and a listener there needs no access
// rules. Pure.
#pragma once

#include <string_view>

namespace sqlbak_gateway {

// True for 127.0.0.0/8, ::1 and the name localhost; `host` has no brackets and no port. False for everything
// else, even for names that resolve to loopback and for other spellings of these addresses.
bool is_loopback(std::string_view host);

}  // namespace sqlbak_gateway
