// What libcurl's codes mean to an operator. Names the hosts of the API and of the proxy and nothing else of
// their URLs, and no text of libcurl's that could hold a proxy's credentials. `proxy` is how a message names
// the proxy; empty if there is none.
#pragma once

#include "sqlbak_gateway/upstream/transport.h"

#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace sqlbak_gateway::upstream {

// "host" or "host:port" of a URL, without credentials.
std::string_view host_of(std::string_view url);

// The name of a proxy of the environment, from libcurl's verbose message that it uses one: nothing else tells
// that.
std::optional<std::string> proxy_of_environment(std::string_view verbose);

// A call that libcurl ended with `code`. `detail` is its error buffer.
Completion::Failure describe(CURL* easy, CURLcode code, std::string_view detail, const Peer& peer,
                             const std::string& proxy);
// An answer that ends before its end.
Completion::Failure describe_cut_off(const Peer& peer);
// A call whose time is up, by what it was doing.
Completion::Failure describe_timeout(CURL* easy, const Peer& peer, const std::string& proxy);

}  // namespace sqlbak_gateway::upstream
