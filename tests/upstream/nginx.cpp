#include "upstream/nginx.h"

#include <arpa/inet.h>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace sqlbak_gateway::upstream::testing {
namespace {

constexpr const char* kProgram = "/usr/sbin/nginx";

bool accepts(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

}  // namespace

bool Nginx::installed() {
  return std::filesystem::exists(kProgram);
}

Nginx::Nginx(Certificates& certificates, const std::string& listen, const std::string& server)
    : folder_(certificates.folder()) {
  const ServerCertificate own = certificates.signed_for("IP:127.0.0.1");
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = closed_port();
    if (started("daemon off; master_process off; pid nginx.pid; error_log error.log;\n"
                "events { worker_connections 512; }\n"
                "http { access_log off; keepalive_requests 100000;\n"
                "client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; "
                "scgi_temp_path t5;\n"
                "server { listen 127.0.0.1:" +
                std::to_string(port_) + " " + listen + ";\nssl_certificate " + own.certificate_file +
                ";\nssl_certificate_key " + own.key_file + ";\n" + server + "\n} }\n")) {
      return;
    }
  }
  throw std::runtime_error("nginx does not start; its log is in " + folder_ + "/error.log");
}

bool Nginx::started(const std::string& configuration) {
  std::ofstream(folder_ + "/nginx.conf") << configuration;
  const std::string prefix = folder_ + "/";
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int log = ::open((prefix + "output.log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ::dup2(log, 2);
    ::execl(kProgram, kProgram, "-p", prefix.c_str(), "-c", "nginx.conf", "-e", "error.log", nullptr);
    ::_exit(1);
  }
  // Ended by either outcome; half a minute is for a machine under load.
  for (int i = 0; i < 3000; ++i) {
    if (accepts(port_)) return true;
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

Nginx::~Nginx() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace sqlbak_gateway::upstream::testing
