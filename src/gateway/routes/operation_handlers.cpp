// What those who run the gateway ask for.
#include "gateway/routes/handlers.h"
#include "sqlbak_gateway/config/check.h"

namespace sqlbak_gateway::gateway {

http::Response answer_healthy(const Asked&) {
  return http::text_response(200, "sqlbak-gateway is healthy.\n");
}

http::Response answer_ready(const Asked& asked) {
  return asked.gateway.shutting_down() ? http::text_response(503, "sqlbak-gateway is shutting down.\n")
                                       : http::text_response(200, "sqlbak-gateway is ready.\n");
}

http::Response answer_config(const Asked& asked) {
  return http::text_response(200, config::masked(asked.now.config));
}

http::Response answer_reload(const Asked& asked) {
  const Result<void> reloaded = asked.reload();
  if (!reloaded) return http::text_response(500, reloaded.error().message + "\n");
  return http::text_response(200, "configuration reloaded\n");
}

}  // namespace sqlbak_gateway::gateway
