#include "gateway/latencies.h"

#include <prometheus/histogram.h>

namespace sqlbak_gateway::gateway {
namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries kProbeBuckets = {0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
const Histogram::BucketBoundaries kApiBuckets = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

}  // namespace

Latencies::Latencies() : probes_(std::make_unique<Histogram>(kProbeBuckets)) {
  for (std::unique_ptr<Histogram>& requests : api_requests_)
    requests = std::make_unique<Histogram>(kApiBuckets);
}

Latencies::~Latencies() = default;

void Latencies::probe(Duration elapsed) {
  probes_->Observe(to_seconds(elapsed));
}

void Latencies::api_request(sqlbak::Endpoint endpoint, Duration elapsed) {
  api_requests_[static_cast<std::size_t>(endpoint)]->Observe(to_seconds(elapsed));
}

}  // namespace sqlbak_gateway::gateway
