// OwnMetrics: the gateway's own /metrics. Others keep plain counters; here they are gathered into the
// families of the catalogue and written out by prometheus-cpp's serializer.
//
// Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/gateway/account.h"
#include "sqlbak_gateway/history/history.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string compiler;
};
// Of this program.
BuildInfo build_info();

// What /metrics says beside the counters kept in here. Value type, gathered for each answer.
struct GatewayState {
  std::vector<std::shared_ptr<const Account>> accounts;
  bool last_reload_succeeded = true;
  SystemTime last_reload_success{};
  std::size_t config_files_rejected = 0;
  history::HistoryStatus history;
  std::optional<SystemTime> certificate_expiry;  // nothing: no TLS
};

class OwnMetrics final : public GatewayObserver {
 public:
  OwnMetrics();
  ~OwnMetrics() override;

  void api_request(sqlbak::Endpoint endpoint, Duration elapsed) override;
  void probe(Duration elapsed) override;
  void unknown_account();
  // `path` is what path_label() (routes.h) makes of it, never a client's text.
  void http_answered(std::string_view path, int status);
  // `reason` is one of a fixed list.
  void http_rejected(std::string_view reason);

  // The exposition text.
  std::string render(const GatewayState& state) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sqlbak_gateway::gateway
