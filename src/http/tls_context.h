// The TLS side of a listener: certificate, key and rules, loaded once and shared by its connections.
#pragma once

#include "sqlbak_gateway/http/listener.h"

#include <Poco/Net/Context.h>

namespace sqlbak_gateway::http {

struct TlsContext {
  Poco::Net::Context::Ptr context;
  CertificateFacts certificate;
};

// Errors as of check_tls_files().
Result<TlsContext> load_tls_context(const TlsFiles& files);

}  // namespace sqlbak_gateway::http
