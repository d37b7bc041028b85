// A real nginx on a port of its own, with its own folder, until the end of the test.
#pragma once

#include "upstream/certificates.h"

#include <string>
#include <sys/types.h>

namespace sqlbak_gateway::upstream::testing {

class Nginx {
 public:
  // `listen` is what follows the port in nginx's listen directive ("ssl", "ssl http2"); `server` the
  // directives of its one server block. Throws when nginx does not come up.
  Nginx(Certificates& certificates, const std::string& listen, const std::string& server);
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  ~Nginx();

  static bool installed();
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

 private:
  // Runs nginx on the port; false when it ends at once, for instance because another program was faster
  // there.
  bool started(const std::string& configuration);

  const std::string folder_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace sqlbak_gateway::upstream::testing
