#include "upstream/certificates.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>

namespace sqlbak_gateway::upstream::testing {

Certificates::Certificates() {
  std::string pattern = std::filesystem::temp_directory_path() / "certificates-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  std::ofstream(folder_ / "index.txt").close();
  std::ofstream(folder_ / "ca.cnf")
      << "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nnew_certs_dir = .\n"
         "rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n"
         "unique_subject = no\n[any]\ncommonName = supplied\n";
  openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 30 "
      "-subj '/CN=an authority of the test'");
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

ServerCertificate Certificates::signed_for(const std::string& names, int days_from, int days_to) {
  const std::string name = "server" + std::to_string(++made_);
  openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + name + ".key -out " +
          name + ".csr -subj '/CN=server' -addext 'subjectAltName=" + names + "'");
  openssl("ca -config ca.cnf -batch -notext -cert ca.pem -keyfile ca.key -in " + name + ".csr -out " + name +
          ".pem -startdate " + day(days_from) + " -enddate " + day(days_to));
  return {folder_ / (name + ".pem"), folder_ / (name + ".key")};
}

ServerCertificate Certificates::self_signed_for(const std::string& names) {
  const std::string name = "own" + std::to_string(++made_);
  openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + name + ".key -out " +
          name + ".pem -days 30 -subj '/CN=server' -addext 'subjectAltName=" + names + "'");
  return {folder_ / (name + ".pem"), folder_ / (name + ".key")};
}

void Certificates::openssl(const std::string& arguments) const {
  const std::string command = "cd '" + folder_.string() + "' && openssl " + arguments + " >>openssl.log 2>&1";
  if (std::system(command.c_str()) != 0) {
    std::ifstream log(folder_ / "openssl.log");
    throw std::runtime_error(
        "openssl " + arguments + ":\n" +
        std::string(std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()));
  }
}

std::string Certificates::day(int days_from_now) const {
  const std::time_t instant = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() +
                                                                   std::chrono::hours(24 * days_from_now));
  std::tm utc{};
  ::gmtime_r(&instant, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &utc)};
}

}  // namespace sqlbak_gateway::upstream::testing
