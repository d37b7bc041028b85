#include "sqlbak_gateway/gateway/gateway.h"

#include "gateway/account.h"
#include "gateway/generation.h"
#include "sqlbak_gateway/config/check.h"

#include <algorithm>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// At most half of the requests in flight may wait for a collection, so that the others are answered.
std::size_t waiting_places(const config::ServerConfig& server) {
  return std::max<std::size_t>(1, server.max_requests_in_flight / 2);
}

}  // namespace

Gateway::Gateway(config::LoadOutcome first, Dependencies dependencies)
    : deps_(std::move(dependencies)),
      waiting_(std::make_unique<WaitingPlaces>(waiting_places(first.config->server))),
      max_response_bytes_(first.config->upstream.max_response_bytes) {
  last_reload_succeeded_ = first.rejected.empty();
  last_reload_success_ = deps_.clock.system_now();
  generation_ = make_generation(std::move(first), nullptr);
  tell_history(*generation_);
}

Gateway::~Gateway() = default;

void Gateway::tell_history(const Generation& now) {
  std::vector<std::string> names;
  for (const auto& [name, account] : now.accounts) names.push_back(name);
  deps_.history.configured(std::move(names));
}

std::shared_ptr<const Generation> Gateway::make_generation(config::LoadOutcome loaded,
                                                           const Generation* former) {
  auto made = std::make_shared<Generation>();
  made->config = std::move(*loaded.config);
  made->files_rejected = loaded.rejected.size();
  made->access =
      former ? std::make_unique<Access>(made->config.access, *former->access)
             : std::make_unique<Access>(made->config.access, deps_.tokens, deps_.clock, deps_.try_password);
  const AccountServices services{.clock = deps_.clock,
                                 .log = deps_.log,
                                 .collector = deps_.collector,
                                 .history = deps_.history,
                                 .tokens = deps_.tokens,
                                 .waiting = *waiting_,
                                 .max_response_bytes = max_response_bytes_,
                                 .latencies = metrics_.latencies(),
                                 .seed = deps_.seed};
  for (const auto& [name, config] : made->config.accounts) {
    const ConfiguredAccount* before = former ? former->find(name) : nullptr;
    if (before && before->config() == config) {
      made->accounts.emplace(name, *before);
      continue;
    }
    auto settings = std::make_shared<const AccountSettings>(config);
    auto account = before ? before->account()
                          : std::make_shared<Account>(settings, upstream::AccountKey{next_key_++}, services);
    made->accounts.emplace(name, ConfiguredAccount(std::move(account), std::move(settings)));
  }
  if (made->config.single_account) made->single = made->accounts.begin()->second;
  return made;
}

std::shared_ptr<const Generation> Gateway::generation() const {
  MutexLock lock(mutex_);
  return generation_;
}

std::optional<ConfiguredAccount> Gateway::account(std::string_view name) const {
  const auto now = generation();
  const ConfiguredAccount* found = now->find(name);
  return found ? std::optional(*found) : std::nullopt;
}

GatewayState Gateway::state(const Generation& now) const {
  GatewayState state;
  for (const auto& [name, account] : now.accounts) {
    state.accounts.push_back({name, account.account()->figures()});
  }
  state.requests_per_second = now.config.upstream.requests_per_second;
  state.config_files_rejected = now.files_rejected;
  state.history = deps_.history.status();
  if (deps_.certificate_expiry) state.certificate_expiry = deps_.certificate_expiry();
  MutexLock lock(mutex_);
  state.last_reload_succeeded = last_reload_succeeded_;
  state.last_reload_success = last_reload_success_;
  return state;
}

Gateway::ReloadState Gateway::reload_state() const {
  MutexLock lock(mutex_);
  return {last_reload_succeeded_, last_reload_success_};
}

bool Gateway::shutting_down() const {
  MutexLock lock(mutex_);
  return shutting_down_;
}

Result<std::shared_ptr<const Generation>> Gateway::prepare(config::LoadOutcome loaded) {
  for (const config::Diagnostic& warning : loaded.warnings) {
    deps_.log.warn("configuration", {{"warning", to_text(warning)}});
  }
  if (loaded.config) return make_generation(std::move(loaded), generation().get());
  std::string errors;
  for (const config::Diagnostic& error : loaded.errors)
    errors += (errors.empty() ? "" : "\n") + to_text(error);
  return Error{errors};
}

Error Gateway::refuse(Error why) {
  deps_.log.error("configuration not reloaded; the running one stays in force", {{"error", why.message}});
  MutexLock lock(mutex_);
  last_reload_succeeded_ = false;
  return why;
}

void Gateway::commit(const std::shared_ptr<const Generation>& next) {
  const auto former = generation();
  put_in_force(*former, next);
  const config::UpstreamConfig& limits = next->config.upstream;
  deps_.collector.set_limits({.max_concurrent_requests = limits.max_concurrent_requests,
                              .requests_per_second = limits.requests_per_second});
  waiting_->set_places(waiting_places(next->config.server));
  max_response_bytes_ = limits.max_response_bytes;
  {
    MutexLock lock(mutex_);
    last_reload_succeeded_ = true;
    last_reload_success_ = deps_.clock.system_now();
  }
  for (const auto& [name, account] : next->accounts) account.account()->end_backoff();
  tell_history(*next);
  if (next->config.history != former->config.history) {
    deps_.log.warn("a change of [history] is put in force by a restart; the history stays as it is");
  }
  deps_.log.info("configuration reloaded", {{"accounts", next->accounts.size()}});
}

void Gateway::put_in_force(const Generation& former, const std::shared_ptr<const Generation>& next) {
  for (const auto& [name, account] : former.accounts) {
    const ConfiguredAccount* found = next->find(name);
    if (!found) {
      account.account()->retire();
    } else if (found->settings() != account.settings()) {
      account.account()->reconfigure(found->settings());
    }
  }
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    generation_ = next;
    stopping = shutting_down_;
  }
  if (!stopping) return;
  for (const auto& [name, account] : next->accounts)
    account.account()->retire();  // shut_down() has not seen them
}

void Gateway::shut_down() {
  std::shared_ptr<const Generation> now;
  {
    MutexLock lock(mutex_);
    shutting_down_ = true;
    now = generation_;
  }
  for (const auto& [name, account] : now->accounts) account.account()->retire();
}

}  // namespace sqlbak_gateway::gateway
