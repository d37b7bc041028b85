// bcrypt: what checking a password takes. Pure; safe from any thread.
#pragma once

#include "sqlbak_gateway/base/secret.h"

#include <functional>

namespace sqlbak_gateway::gateway {

// Whether `password` has this hash. A seam: tests count the work.
using TryPassword = std::function<bool(const Secret& password, const Secret& hash)>;

// Takes CPU time: some 0.2 s at cost 12, twice as much for each cost above. A hash that is none is nobody's.
bool bcrypt_matches(const Secret& password, const Secret& hash);

// 4 to 14. The configuration has checked the hash's form.
int bcrypt_cost(const Secret& hash);

// A hash that no password has, as dear to try as any of that cost.
Secret bcrypt_of_nobody(int cost);

}  // namespace sqlbak_gateway::gateway
