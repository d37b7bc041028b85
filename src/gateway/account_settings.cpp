#include "gateway/account_settings.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sqlbak_gateway::gateway {

std::shared_ptr<const upstream::Peer> peer_of(const config::AccountConfig& config) {
  auto peer = std::make_shared<upstream::Peer>();
  peer->api_url = config.api_url;
  peer->ca_file = config.ca_file;
  if (config.proxy) {
    peer->proxy = config.proxy->url;
    peer->proxy_credentials = config.proxy->credentials;
  }
  return peer;
}

evaluation::Policy policy_of(const config::AccountConfig& config) {
  evaluation::Policy policy;
  policy.lookback = config.lookback;
  policy.max_age = {config.max_age};
  for (const config::JobOverride& job : config.jobs) {
    evaluation::Override over;
    over.target = job.selector;
    over.ignore = job.ignore;
    over.max_age = {job.max_age};
    policy.jobs.push_back(std::move(over));
  }
  for (const config::ServerOverride& server : config.servers) {
    evaluation::Override over;
    over.target = server.selector;
    over.ignore = server.ignore;
    policy.servers.push_back(std::move(over));
  }
  return policy;
}

exposition::Format format_of(const config::AccountConfig& config) {
  exposition::Format format;
  switch (config.names) {
    case config::MetricNames::seed:
      format.names = exposition::NameMode::seed;
      break;
    case config::MetricNames::clean:
      format.names = exposition::NameMode::clean;
      break;
    case config::MetricNames::both:
      format.names = exposition::NameMode::both;
      break;
  }
  format.summary = config.summary;
  format.max_series = config.max_series;
  return format;
}

Duration first_reach_of(const config::AccountConfig& config) {
  Duration largest{};
  const auto consider = [&](const config::MaxAges& ages) {
    for (const std::optional<Duration>& age : ages)
      largest = std::max(largest, age.value_or(Duration::zero()));
  };
  consider(config.max_age);
  for (const config::JobOverride& job : config.jobs) consider(job.max_age);
  return 2 * largest;
}

}  // namespace sqlbak_gateway::gateway
