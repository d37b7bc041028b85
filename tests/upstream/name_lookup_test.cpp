// The transport and a DNS that fails or hangs: this program has its own getaddrinfo(), which libcurl's
// threads call.
#include "upstream/asking.h"
#include "upstream/scripted_server.h"

#include <condition_variable>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
#include <string_view>

namespace {

// A name server that does not answer, until the test is over.
struct SilentNameServer {
  std::mutex mutex;
  std::condition_variable changed;
  bool gone = false;
  int asked = 0;
};
SilentNameServer& silent_name_server() {
  static auto* const server = new SilentNameServer;  // outlives the threads that libcurl leaves behind
  return *server;
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  const std::string_view name = node != nullptr ? node : "";
  if (name == "unresolvable.test") return EAI_NONAME;
  if (name == "silent.test") {
    SilentNameServer& server = silent_name_server();
    std::unique_lock lock(server.mutex);
    ++server.asked;
    server.changed.notify_all();
    server.changed.wait(lock, [&] { return server.gone; });
    return EAI_AGAIN;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, found);
}

namespace sqlbak_gateway::upstream::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class NameLookupTest : public AskingTest {
 protected:
  NameLookupTest() { set_gone(false); }
  ~NameLookupTest() override { set_gone(true); }

 private:
  static void set_gone(bool gone) {
    std::lock_guard lock(silent_name_server().mutex);
    silent_name_server().gone = gone;
    silent_name_server().changed.notify_all();
  }
};

TEST_F(NameLookupTest, ANameThatDoesNotExistSaysSo) {
  EXPECT_THAT(failure(ask(peer("http://unresolvable.test:8080/v1"))),
              StartsWith("connection: the name of unresolvable.test:8080 cannot be resolved"));
}

TEST_F(NameLookupTest, ASilentNameServerDelaysNobodyElseNorTheEnd) {
  ScriptedServer server(answers_with(ok("{}")));
  const Completion completion = ask(peer("http://silent.test"), "/me", 100ms);
  EXPECT_THAT(failure(completion), AllOf(StartsWith("timeout:"), HasSubstr("looking up its name")));

  const Call cancelled = call(peer("http://silent.test"));
  transport_->start(cancelled);
  transport_->start(call(peer("http://silent.test")));
  EXPECT_EQ(ask(peer(server.url())).status, 200);
  transport_->cancel(cancelled.id);
  transport_.reset();
  std::lock_guard lock(silent_name_server().mutex);
  EXPECT_FALSE(silent_name_server().gone) << "all of this happened while the name server was silent";
  EXPECT_GE(silent_name_server().asked, 1);
}

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
