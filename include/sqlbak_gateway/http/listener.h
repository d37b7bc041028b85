// Where the server listens, and with which certificate.
#pragma once

#include "sqlbak_gateway/base/clock.h"
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
  // "127.0.0.1:8000", "[::1]:8000", "localhost:8000"; ":8000" and "[::]:8000" are all addresses of both
  // families; port 0 lets the system choose.
  std::string address;
  std::optional<TlsFiles> tls;

  friend bool operator==(const Listener&, const Listener&) = default;
};

// An address as configured, taken apart. Nothing is resolved.
struct ListenAddress {
  std::string host;  // a name, a numeric address without brackets, or empty for all addresses
  std::uint16_t port = 0;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};
// Error with examples for anything but host:port.
Result<ListenAddress> parse_listen_address(std::string_view text);
// Whether only this machine can connect to it: 127.0.0.0/8, ::1 or "localhost".
bool is_loopback(const ListenAddress& address);

// What can be told of a certificate before it is used.
struct CertificateFacts {
  SystemTime not_after{};  // of the first to expire of the chain in the file
};
// Reads the files as the server would. The Error names the file and what to do: not there, not readable, not
// PEM, a key that belongs to another certificate, a key with a passphrase. An expired certificate is no error
// here.
Result<CertificateFacts> check_tls_files(const TlsFiles& files);

}  // namespace sqlbak_gateway::http
