// The functions that answer requests, one for each row of the table of paths. Access and methods have been
// checked before.
#pragma once

#include "gateway/generation.h"
#include "gateway/response_cache.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/http/message.h"

namespace sqlbak_gateway::gateway {

// What a handler gets. It refers to things that live as long as the request is being answered.
struct Asked {
  const http::Request& request;
  const Generation& now;  // what was in force when the request arrived
  const Caller& caller;   // a caller without rights where the path is for everybody
  SteadyTime arrived;     // before the credentials were checked; a probe's deadline counts from here
  Gateway& gateway;
  const Clock& clock;
  SteadyTime started;  // when the gateway did
  ResponseCache& response_cache;
  const Routes::Reload& reload;
};
using Handler = http::Response (*)(const Asked& asked);

// metrics_handlers.cpp
http::Response answer_probe(const Asked& asked);
http::Response answer_metrics(const Asked& asked);
http::Response answer_discovery(const Asked& asked);

// page_handlers.cpp
http::Response answer_overview(const Asked& asked);  // HTML, or JSON where the client prefers it
http::Response answer_overview_json(const Asked& asked);
http::Response answer_account(
    const Asked& asked);  // HTML, or JSON where the client prefers it or asks for NAME.json
http::Response answer_asset(const Asked& asked);

// operation_handlers.cpp
http::Response answer_healthy(const Asked& asked);
http::Response answer_ready(const Asked& asked);
http::Response answer_config(const Asked& asked);
http::Response answer_reload(const Asked& asked);

}  // namespace sqlbak_gateway::gateway
