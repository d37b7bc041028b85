// Server::turned_since_last_asked(), by which a watchdog learns that the event thread still goes round.
//
// This program has its own read(), through which the event thread takes away that it was woken.
#include "http/serving.h"

#include <atomic>
#include <cstdint>
#include <dlfcn.h>
#include <functional>
#include <sys/types.h>

#include <gtest/gtest.h>

namespace {

// What happens, once, just before the next waking is taken away. Nothing: null.
std::atomic<const std::function<void()>*>& before_a_waking_is_taken() {
  static std::atomic<const std::function<void()>*> what{nullptr};
  return what;
}

}  // namespace

extern "C" ssize_t read(int file, void* into, std::size_t room) {
  // A waking is a number of eight bytes; the tests that set something read nothing else of this size.
  if (room == sizeof(std::uint64_t)) {
    if (const auto* const what = before_a_waking_is_taken().exchange(nullptr)) (*what)();
  }
  using Function = ssize_t (*)(int, void*, std::size_t);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "read"));
  return real(file, into, room);
}

namespace sqlbak_gateway::http::testing {
namespace {

using namespace std::chrono_literals;

class Turning : public Serving {};

// Does something just before the event thread takes away that it was woken.
class WakingTaken {
 public:
  explicit WakingTaken(std::function<void()> what)
      : what_([this, then = std::move(what)] {
          then();
          happened_ = true;
        }) {
    before_a_waking_is_taken() = &what_;
  }
  WakingTaken(const WakingTaken&) = delete;
  WakingTaken& operator=(const WakingTaken&) = delete;
  ~WakingTaken() { before_a_waking_is_taken() = nullptr; }

  bool happened() const { return happened_; }

 private:
  std::atomic<bool> happened_{false};
  const std::function<void()> what_;
};

TEST_F(Turning, GoesOnWithoutAnyRequest) {
  serve();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
  }
}

// Whatever wakes it may come between its taking note of an earlier waking and its taking away of that one.
TEST_F(Turning, GoesOnWhenItIsWokenWhileItTakesAnEarlierWaking) {
  limits.thread_idle_time = 1h;  // for so long it sleeps without connections, unless it is woken
  serve();
  ASSERT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
  const WakingTaken taken([this] { (void)server->turned_since_last_asked(); });
  ASSERT_TRUE(eventually([&] {
    (void)server->turned_since_last_asked();
    return taken.happened();
  }));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
  }
}

TEST_F(Turning, EndsWhileTheEventThreadIsStuck) {
  bind(clock);
  Service stuck = service();
  stuck.triage = [this](std::string_view path) {
    if (path == "/stuck") gate.pass();
    return Urgency::ordinary;
  };
  ASSERT_TRUE(server->serve(std::move(stuck)));
  Client asking = client();
  asking.get("/stuck");
  ASSERT_TRUE(eventually([this] { return gate.waiting() == 1; }));

  (void)server->turned_since_last_asked();  // it may have gone round before it got stuck
  EXPECT_FALSE(server->turned_since_last_asked());
  EXPECT_FALSE(server->turned_since_last_asked());

  gate.open();
  EXPECT_EQ(asking.answer().status, 200);
  EXPECT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
