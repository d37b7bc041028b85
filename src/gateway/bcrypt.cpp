#include "sqlbak_gateway/gateway/bcrypt.h"

#include <cstring>
#include <memory>
#include <string>

#include <crypt.h>

namespace sqlbak_gateway::gateway {

bool bcrypt_matches(const Secret& password, const Secret& hash) {
  const auto data = std::make_unique<crypt_data>();
  const std::string phrase(password.reveal());
  const std::string setting(hash.reveal());
  const char* made = crypt_r(phrase.c_str(), setting.c_str(), data.get());
  const bool matches = made != nullptr && equal_in_constant_time(made, setting);
  explicit_bzero(data.get(), sizeof(crypt_data));
  return matches;
}

// "$2b$12$…" is cost 12.
int bcrypt_cost(const Secret& hash) {
  return (hash.reveal()[4] - '0') * 10 + (hash.reveal()[5] - '0');
}

Secret bcrypt_of_nobody(int cost) {
  std::string hash = "$2b$";
  hash += static_cast<char>('0' + cost / 10);
  hash += static_cast<char>('0' + cost % 10);
  return Secret(hash + "$" + std::string(53, '.'));
}

}  // namespace sqlbak_gateway::gateway
