#include "sqlbak_gateway/gateway/reload.h"

#include "gateway/generation.h"

#include <memory>
#include <utility>

namespace sqlbak_gateway::gateway {

Result<void> reload(Gateway& gateway, const ReloadSteps& steps) {
  const Result<std::shared_ptr<const Generation>> next =
      gateway.prepare(steps.load(gateway.generation()->config));
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
