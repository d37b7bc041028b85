#include "http/tls_context.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include <Poco/Exception.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace sqlbak_gateway::http {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

Error unusable(std::string_view what, const std::string& path, const std::string& why) {
  return Error{std::string(what) + " \"" + path + "\" cannot be used: " + why};
}

// Tells a missing or unreadable file from one with the wrong contents; OpenSSL's own errors do not.
Result<void> check_readable(std::string_view what, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  if (file >= 0 && ::read(file, &byte, 1) >= 0) {
    ::close(file);
    return {};
  }
  const int error = errno;
  if (file >= 0) ::close(file);
  std::string why = std::strerror(error);
  if (error == EACCES) why += "; let the user that runs the gateway read it";
  return unusable(what, path, why);
}

// OpenSSL would ask for a passphrase on the terminal, and a service would hang.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

SystemTime to_system_time(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  const std::chrono::sys_days day =
      std::chrono::year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
  return day + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} +
         std::chrono::seconds{parts.tm_sec};
}

Result<CertificateFacts> read_certificates(const std::string& path) {
  CertificateFacts facts{SystemTime::max()};
  bool any = false;
  const std::unique_ptr<BIO, BioFree> file(BIO_new_file(path.c_str(), "r"));
  while (file) {
    const std::unique_ptr<X509, X509Free> certificate(
        PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    any = true;
    facts.not_after = std::min(facts.not_after, to_system_time(X509_get0_notAfter(certificate.get())));
  }
  ERR_clear_error();
  if (!any)
    return unusable("the certificate file", path, "it holds no certificate in PEM form (BEGIN CERTIFICATE)");
  return facts;
}

Result<void> load_key_pair(SSL_CTX* context, const TlsFiles& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str()) != 1) {
    return unusable("the certificate file", files.cert_file,
                    "it holds a certificate that OpenSSL does not accept");
  }
  bool passphrase_asked = false;
  SSL_CTX_set_default_passwd_cb(context, &refuse_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &passphrase_asked);
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (loaded) return {};
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (passphrase_asked) {
    return unusable(
        "the key file", files.key_file,
        "it has a passphrase; remove it (openssl pkey -in OLD -out NEW) and protect the file by its mode");
  }
  if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH) {
    return unusable(
        "the key file", files.key_file,
        "the key belongs to another certificate than the first one in \"" + files.cert_file + "\"");
  }
  return unusable("the key file", files.key_file, "it holds no private key in PEM form (BEGIN PRIVATE KEY)");
}

Result<void> require_client_certificates(SSL_CTX* context, const std::string& path) {
  if (auto readable = check_readable("the client CA file", path); !readable) return readable;
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return unusable("the client CA file", path, "it holds no certificate in PEM form (BEGIN CERTIFICATE)");
  }
  SSL_CTX_set_client_CA_list(context, names);
  // No callback: Poco's would accept whatever its verification mode, which is "none" here, allows.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

Result<TlsContext> load_tls_context(const TlsFiles& files) {
  if (auto readable = check_readable("the certificate file", files.cert_file); !readable)
    return readable.error();
  if (auto readable = check_readable("the key file", files.key_file); !readable) return readable.error();
  const Result<CertificateFacts> facts = read_certificates(files.cert_file);
  if (!facts) return facts.error();
  try {
    // Files are loaded here and not by Poco: it asks for passphrases on the terminal, and its verification of
    // clients compares their certificate with their address.
    Poco::Net::Context::Params parameters;
    parameters.verificationMode = Poco::Net::Context::VERIFY_NONE;
    parameters.cipherList = "ECDHE+AESGCM:ECDHE+CHACHA20";
    parameters.dhUse2048Bits = true;
    Poco::Net::Context::Ptr context = new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, parameters);
    SSL_CTX* const ssl = context->sslContext();
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    // No tickets: a session could outlive the client CA that it was checked against.
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(ssl, 0);
    // Idle connections give their 34 KB of buffers back.
    SSL_CTX_set_mode(
        ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A read ends after a message that carries no data, such as the renewal of a key. With this mode it goes
    // on as long as such messages keep coming, and with it the event thread.
    SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    ERR_clear_error();
    Result<void> loaded = load_key_pair(ssl, files);
    if (loaded && !files.client_ca_file.empty())
      loaded = require_client_certificates(ssl, files.client_ca_file);
    ERR_clear_error();
    if (!loaded) return loaded.error();
    return TlsContext{context, *facts};
  } catch (const Poco::Exception& exception) {
    return Error{"TLS cannot be set up: " + exception.displayText()};
  }
}

Result<CertificateFacts> check_tls_files(const TlsFiles& files) {
  const Result<TlsContext> loaded = load_tls_context(files);
  if (!loaded) return loaded.error();
  return loaded->certificate;
}

}  // namespace sqlbak_gateway::http
