// Discovery: the answer of /sd, Prometheus's HTTP service discovery.
#pragma once

#include "sqlbak_gateway/config/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// Where Prometheus reaches the gateway.
struct Advertised {
  std::string scheme;  // "http" or "https"
  std::string host;    // "gateway.example.com:8000"
};

// From `advertise` of the configuration, else from a request's scheme and Host.
Advertised advertised(const config::ServerConfig& server, std::string_view request_scheme,
                      std::string_view request_host);

// One target group an account, as JSON: with the labels that make a scrape job need no relabelling. Pure.
std::string discovery_document(const std::vector<const config::AccountConfig*>& accounts,
                               const Advertised& where);

}  // namespace sqlbak_gateway::gateway
