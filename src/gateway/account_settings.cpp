#include "gateway/account_settings.h"

#include "sqlbak_gateway/base/hash.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// Fingerprints name a token in memory, in the history file and as a limit group, and cannot be turned back.
constexpr std::string_view kFingerprintKey = "sqlbak-gateway token fingerprint 1";

// The same token has the same group, whatever accounts hold it.
upstream::LimitGroup group_of(const std::string& fingerprint) {
  return upstream::LimitGroup{std::stoull(fingerprint.substr(0, 15), nullptr, 16)};
}

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

// An initial collection goes back twice the largest configured max_age, so that a late job is known to be
// late at once. It holds for every job: overrides are matched by evaluation, and reading a little more of a
// few jobs once costs little.
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

}  // namespace

AccountSettings::AccountSettings(config::AccountConfig configuration)
    : config(std::move(configuration)),
      peer(peer_of(config)),
      policy(policy_of(config)),
      format(format_of(config)) {}

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
  format.max_label_bytes = config.max_label_bytes;
  return format;
}

CollectionOrder order_of(const AccountSettings& settings, Secret token, SystemTime now) {
  const config::AccountConfig& config = settings.config;
  CollectionOrder order;
  order.peer = settings.peer;
  order.token = std::make_shared<const Secret>(std::move(token));
  order.plan.started_at = now;
  order.plan.lookback = config.lookback;
  order.plan.settings_ttl = config.settings_ttl;
  order.plan.max_stale = config.max_stale;
  order.plan.token_fingerprint = keyed_hash(kFingerprintKey, order.token->reveal());
  order.plan.first_reach = [reach = first_reach_of(config)](const Job&) { return reach; };
  order.share.group = group_of(order.plan.token_fingerprint);
  order.share.max_concurrent_requests = config.max_concurrent_requests;
  order.share.requests_per_second = config.requests_per_second;
  order.request_timeout = config.request_timeout;
  order.collection_timeout = config.collection_timeout;
  return order;
}

}  // namespace sqlbak_gateway::gateway
