// Certificates made by the openssl command in a temporary folder: an authority of the test's own, and what it
// signs.
#pragma once

#include "upstream/scripted_server.h"

#include <filesystem>
#include <string>

namespace sqlbak_gateway::upstream::testing {

class Certificates {
 public:
  Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates();

  // PEM, for Peer::ca_file.
  std::string authority_file() const { return folder_ / "ca.pem"; }
  // Signed by the authority, for `names` as subjectAltName has them ("IP:127.0.0.1", "DNS:api.example"),
  // valid from `days_from` to `days_to` days from now.
  ServerCertificate signed_for(const std::string& names, int days_from = -1, int days_to = 30);
  ServerCertificate self_signed_for(const std::string& names);

  const std::filesystem::path& folder() const { return folder_; }

 private:
  void openssl(const std::string& arguments) const;
  std::string day(int days_from_now) const;

  std::filesystem::path folder_;
  int made_ = 0;
};

}  // namespace sqlbak_gateway::upstream::testing
