// What may be a token.
#pragma once

#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/base/secret.h"

namespace sqlbak_gateway::config {

// `content` without one line break at its end, if that is a token (see token.h). The Error is a half sentence
// to follow the name of the place, and shows nothing of the content.
Result<Secret> checked_token(const Secret& content);

}  // namespace sqlbak_gateway::config
