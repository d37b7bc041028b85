#include "gateway/discovery.h"

#include "sqlbak_gateway/base/text.h"

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::gateway {

Advertised advertised(const config::ServerConfig& server, std::string_view request_scheme,
                      std::string_view request_host) {
  const std::string_view url = server.advertise;
  if (url.empty()) return {std::string(request_scheme), std::string(request_host)};
  const std::size_t colon = url.find("://");
  return {std::string(url.substr(0, colon)), std::string(url.substr(colon + 3))};
}

std::string discovery_document(const std::vector<const config::AccountConfig*>& accounts,
                               const Advertised& where) {
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  for (const config::AccountConfig* account : accounts) {
    nlohmann::ordered_json labels = {
        {"__scheme__", where.scheme}, {"__metrics_path__", "/probe"}, {"__param_account", account->name},
        {"account", account->name},   {"instance", account->name},
    };
    if (account->scrape_interval && account->scrape_timeout) {
      labels["__scrape_interval__"] = format_duration(*account->scrape_interval);
      labels["__scrape_timeout__"] = format_duration(*account->scrape_timeout);
    }
    for (const auto& [name, value] : account->labels) labels[name] = value;
    document.push_back({{"targets", {where.host}}, {"labels", std::move(labels)}});
  }
  return document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sqlbak_gateway::gateway
