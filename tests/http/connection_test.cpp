// Connection: how much it does at once.
#include "http/connection.h"

#include "http/serving.h"

#include <linux/sockios.h>
#include <memory>
#include <string>
#include <sys/ioctl.h>
#include <utility>

#include <Poco/Net/ServerSocket.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::http::testing {
namespace {

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() : client_(listening_.address().port()), accepted_(listening_.acceptConnection()) {
    accepted_.setBlocking(false);
  }
  // Reads whatever has been sent, and returns how much that was.
  std::size_t received() {
    std::size_t bytes = 0;
    for (;;) {
      int unsent = 0;
      ::ioctl(accepted_.impl()->sockfd(), SIOCOUTQ, &unsent);
      if (client_.unread() > 0) {
        bytes += client_.receive().size();
      } else if (unsent == 0) {
        return bytes;
      }
    }
  }

  Poco::Net::ServerSocket listening_{Poco::Net::SocketAddress("127.0.0.1", 0)};
  Client client_;
  Poco::Net::StreamSocket accepted_;
  sqlbak_gateway::testing::ManualClock clock_;
  Limits limits_;
  Observer observer_;
};

// The event thread has others to serve, however fast this client reads.
TEST_F(ConnectionTest, WritesAPartOfALargeAnswerInOneTurn) {
  Connection connection(limits_, observer_, clock_, accepted_, nullptr, {});
  client_.get("/");
  ASSERT_EQ(connection.advance(), Connection::Wants::handler);
  Response response;
  response.body = std::make_shared<const std::string>(20'000'000, 'x');
  ASSERT_EQ(connection.answer(response, false), Connection::Wants::writable);
  std::size_t total = received();
  EXPECT_GT(total, std::size_t{64} << 10) << "the worker that answers is held up by nobody";
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_EQ(connection.advance(), Connection::Wants::writable);
    const std::size_t part = received();
    EXPECT_GT(part, 0u);
    EXPECT_LE(part, std::size_t{64} << 10);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
