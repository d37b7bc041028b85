#include "http/certificates.h"

#include <fstream>
#include <stdexcept>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sqlbak_gateway::http::testing {
namespace {

template <typename Write>
std::string pem(Write write) {
  BIO* const memory = BIO_new(BIO_s_mem());
  write(memory);
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  std::string copy(text, static_cast<std::size_t>(length));
  BIO_free(memory);
  return copy;
}

}  // namespace

struct Certificates::Pair {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();

  // `issuer` null: self-signed.
  Pair(const std::string& name, SystemTime not_after, long serial, const Pair* issuer) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
    ASN1_TIME_set(X509_getm_notAfter(certificate), not_after.time_since_epoch().count() / 1000);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate,
                         X509_get_subject_name(issuer != nullptr ? issuer->certificate : certificate));
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION* const constraint = X509V3_EXT_conf_nid(
        nullptr, &context, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    X509_add_ext(certificate, constraint, -1);
    X509_EXTENSION_free(constraint);
    X509_sign(certificate, issuer != nullptr ? issuer->key : key, EVP_sha256());
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  std::string certificate_pem() const {
    return pem([&](BIO* out) { PEM_write_bio_X509(out, certificate); });
  }
  std::string key_pem() const {
    return pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
  }
};

Certificates::Certificates() {
  std::string pattern = std::filesystem::temp_directory_path() / "http-certificates-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  authority_ =
      std::make_unique<Pair>("authority", SystemTime(std::chrono::hours(24 * 365 * 100)), 1, nullptr);
  file("ca.pem", authority_->certificate_pem());
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Certificates::file(const std::string& name, const std::string& contents) {
  std::ofstream(folder_ / name, std::ios::binary) << contents;
  return folder_ / name;
}

TlsFiles Certificates::signed_for(const std::string& name, SystemTime not_after) {
  const std::string number = std::to_string(++made_);
  const Pair pair(name, not_after, 1 + made_, authority_.get());
  return {file(number + ".pem", pair.certificate_pem()), file(number + ".key", pair.key_pem()), ""};
}

std::string Certificates::with_passphrase(const TlsFiles& files) {
  std::ifstream in(files.key_file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  BIO* const memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  const std::string locked = pem([&](BIO* out) {
    PEM_write_bio_PrivateKey(out, key, EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>("secret"), 6,
                             nullptr, nullptr);
  });
  EVP_PKEY_free(key);
  return file("locked.key", locked);
}

}  // namespace sqlbak_gateway::http::testing
