#include "soak/lives.h"

#include "sqlbak_gateway/config/load.h"

namespace sqlbak_gateway::soak {
namespace {

config::LoadOutcome load(const Life::World& world, config::LoadMode mode, const config::Config* running) {
  config::LoadOptions options;
  options.mode = mode;
  options.environment = world.environment;
  options.running = running;
  return config::load(world.config_file, options);
}

}  // namespace

Life::Life(const World& world) : transport_(world.api, world.clock) {
  config::LoadOutcome loaded = load(world, config::LoadMode::start, nullptr);
  for (const config::RejectedFile& rejected : loaded.rejected) {
    for (const config::Diagnostic& error : rejected.errors) mistakes_ += to_text(error) + "\n";
  }
  history_ = std::make_unique<LaggingHistory>(
      history::open_history(loaded.config->history.path, world.clock, world.log));
  collector_ = std::make_unique<gateway::Collector>(
      world.clock, transport_,
      upstream::GlobalLimits{.max_concurrent_requests = loaded.config->upstream.max_concurrent_requests,
                             .requests_per_second = loaded.config->upstream.requests_per_second},
      world.seed);
  gateway_ = std::make_unique<gateway::Gateway>(std::move(loaded),
                                                gateway::Gateway::Dependencies{.clock = world.clock,
                                                                               .log = world.log,
                                                                               .collector = *collector_,
                                                                               .history = *history_,
                                                                               .tokens = world.tokens,
                                                                               .seed = world.seed});
  const auto steps = gateway::ReloadSteps{
      .load =
          [world](const config::Config& running) { return load(world, config::LoadMode::reload, &running); },
      .rebind = nullptr,
      .resume = nullptr};
  routes_ = std::make_unique<gateway::Routes>(*gateway_, world.clock,
                                              [this, steps] { return gateway::reload(*gateway_, steps); });
}

}  // namespace sqlbak_gateway::soak
