// Routes: finds what a request asks for, checks who asks, and answers. The table in
// src/gateway/routes/routes.cpp has one row for each path: its methods, who may ask, how urgent it is, and
// the function that answers.
//
// Resource type; safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/http/message.h"
#include "sqlbak_gateway/http/server.h"

#include <functional>
#include <memory>
#include <string_view>

namespace sqlbak_gateway::gateway {

class ResponseCache;

class Routes {
 public:
  // Reloads the configuration for POST /-/reload, waits until that is done, and says why it was refused.
  using Reload = std::function<Result<void>()>;

  // `gateway` and `clock` must outlive the routes.
  Routes(Gateway& gateway, const Clock& clock, Reload reload);
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;
  ~Routes();

  // Answers any request. A probe blocks until its deadline at most; urgent and immediate requests do not wait
  // for an account.
  http::Response answer(const http::Request& request);
  // How urgent a request for `path` is. Quick; never blocks.
  http::Urgency urgency(std::string_view path) const;
  // Drops cached responses of former seconds. To be called once a second.
  void tick();

 private:
  http::Response uncompressed_answer(const http::Request& request);

  Gateway& gateway_;
  const Clock& clock_;
  const Reload reload_;
  const SteadyTime started_;
  const std::unique_ptr<ResponseCache> response_cache_;
};

// The path as a label of metrics: a path of the table, or "other".
std::string_view path_label(std::string_view path);

}  // namespace sqlbak_gateway::gateway
