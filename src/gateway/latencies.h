// Latencies: how long probes and API requests take, over all accounts. Accounts write it, the gateway's own
// metrics read it. Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/sqlbak/request.h"

#include <array>
#include <memory>

namespace prometheus {
class Histogram;
}

namespace sqlbak_gateway::gateway {

class Latencies {
 public:
  Latencies();
  Latencies(const Latencies&) = delete;
  Latencies& operator=(const Latencies&) = delete;
  ~Latencies();

  void probe(Duration elapsed);
  void api_request(sqlbak::Endpoint endpoint, Duration elapsed);

  const prometheus::Histogram& probes() const { return *probes_; }
  const prometheus::Histogram& api_requests(sqlbak::Endpoint endpoint) const {
    return *api_requests_[static_cast<std::size_t>(endpoint)];
  }

 private:
  std::unique_ptr<prometheus::Histogram> probes_;
  std::array<std::unique_ptr<prometheus::Histogram>, sqlbak::kEndpoints.size()> api_requests_;
};

}  // namespace sqlbak_gateway::gateway
