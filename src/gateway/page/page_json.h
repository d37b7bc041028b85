// The page for people as JSON, for scripts: the same model. Durations are in seconds and named so, instants
// are RFC 3339 in UTC, and what is not known is null. Pure.
#pragma once

#include "gateway/page/page_model.h"

#include <string>

namespace sqlbak_gateway::gateway {

std::string to_json(const Overview& page);
std::string to_json(const AccountDetail& page);

}  // namespace sqlbak_gateway::gateway
