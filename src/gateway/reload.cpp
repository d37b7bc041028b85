#include "sqlbak_gateway/gateway/reload.h"

#include "gateway/generation.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace sqlbak_gateway::gateway {

namespace {

// Whatever is thrown while nothing has changed yet refuses the reload and must not end the process.
Result<std::shared_ptr<const Generation>> prepared(Gateway& gateway, const ReloadSteps& steps) try {
  return gateway.prepare(steps.load(gateway.generation()->config));
} catch (const std::exception& exception) {
  return Error{std::string("the configuration cannot be read: ") + exception.what()};
}

}  // namespace

Result<void> reload(Gateway& gateway, const ReloadSteps& steps) {
  const Result<std::shared_ptr<const Generation>> next = prepared(gateway, steps);
  if (!next) return gateway.refuse(next.error());
  const config::ServerConfig& server = (*next)->config.server;
  if (steps.rebind) {
    if (const Result<void> bound = steps.rebind(server); !bound) return gateway.refuse(bound.error());
  }
  gateway.commit(*next);
  if (steps.resume) steps.resume(server);
  return {};
}

}  // namespace sqlbak_gateway::gateway
