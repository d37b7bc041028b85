// Certificates made in memory and written to a temporary folder, with an authority of the test's own.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/http/listener.h"

#include <filesystem>
#include <memory>
#include <string>

namespace sqlbak_gateway::http::testing {

class Certificates {
 public:
  Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates();

  std::string authority_file() const { return folder_ / "ca.pem"; }
  // Signed by the authority; the subject's common name is `name`.
  TlsFiles signed_for(const std::string& name, SystemTime not_after);
  // The key of `files` again, behind a passphrase.
  std::string with_passphrase(const TlsFiles& files);
  std::string file(const std::string& name, const std::string& contents);

 private:
  struct Pair;
  std::filesystem::path folder_;
  std::unique_ptr<Pair> authority_;
  int made_ = 0;
};

}  // namespace sqlbak_gateway::http::testing
