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
  std::string cert_file;       // the certificate, followed by its intermediates
  std::string key_file;        // its private key, without a passphrase
  std::string client_ca_file;  // empty: clients need no certificate; else one that these authorities signed

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct Listener {
  ListenAddress address;  // the host :: is all addresses of both families
  std::optional<TlsFiles> tls;

  friend bool operator==(const Listener&, const Listener&) = default;
};

// What can be told of a certificate before it is used.
struct CertificateFacts {
  SystemTime not_after{};  // of the first to expire of the chain in the file
};
// Reads the files as the server would. The Error names the file and what to do: not there, not readable, not
// PEM, a key that belongs to another certificate, a key with a passphrase. An expired certificate is no error
// here.
Result<CertificateFacts> check_tls_files(const TlsFiles& files);

}  // namespace sqlbak_gateway::http
