// What libcurl's codes mean to an operator. Names the host and nothing else of the URL, and no text of
// libcurl's that could hold a proxy's credentials.
#pragma once

#include "sqlbak_gateway/upstream/transport.h"

#include <string>
#include <string_view>

#include <curl/curl.h>

namespace sqlbak_gateway::upstream {

// "host" or "host:port" of a URL, without credentials.
std::string_view host_of(std::string_view url);

// A call that libcurl ended with `code`. `detail` is its error buffer.
Completion::Failure describe(CURL* easy, CURLcode code, std::string_view detail, const Peer& peer);
// An answer that ends before its end.
Completion::Failure describe_cut_off(const Peer& peer);
// A call whose time is up, by what it was doing.
Completion::Failure describe_timeout(CURL* easy, const Peer& peer);

}  // namespace sqlbak_gateway::upstream
