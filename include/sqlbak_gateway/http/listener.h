// Where the server listens, and with which certificate.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/listen_address.h"
#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::http {

// PEM files. At least TLS 1.2 is spoken, with forward-secret authenticated ciphers only.
struct TlsFiles {
  std::string cert_file;  // the certificate, followed by its intermediates
  std::string key_file;   // its private key, without a passphrase
  // Clients need a certificate that one of these authorities signed. Empty: they need none.
  std::string client_ca_file;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct Listener {
  ListenAddress address;  // the host :: stands for all addresses of both families
  std::optional<TlsFiles> tls;

  friend bool operator==(const Listener&, const Listener&) = default;
};

// What is known of a certificate before it is used.
struct CertificateFacts {
  SystemTime not_after{};  // when the first certificate of the chain in the file expires
};
// Reads the files as the server would. The Error names the file and what to do: it does not exist, cannot be
// read or is not PEM, or the key belongs to another certificate or has a passphrase. An expired certificate
// is no error.
Result<CertificateFacts> check_tls_files(const TlsFiles& files);

}  // namespace sqlbak_gateway::http
