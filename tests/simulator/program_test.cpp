// The program: what it prints, how it starts, and that it stops.
#include "simulator/curl_client.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::simulator::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The program as a child process. It ends by itself after a minute, whatever happens to the test.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) std::perror("pipe");
    arguments.insert(arguments.begin(), SQLBAK_GATEWAY_BINARY_DIR "/sqlbak-simulator");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~Program() {
    if (pid_ > 0) stop(SIGKILL);
    std::fclose(output_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string line() {
    std::array<char, 1024> text{};
    const char* read = std::fgets(text.data(), static_cast<int>(text.size()), output_);
    return read == nullptr ? "" : std::string(trimmed(read));
  }
  std::string all_output() {
    std::string all;
    for (int c = std::fgetc(output_); c != EOF; c = std::fgetc(output_)) all += static_cast<char>(c);
    return all;
  }
  // Its exit code, or the negative number of the signal that ended it.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int stop(int signal) {
    kill(pid_, signal);
    return wait();
  }

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

TEST(Simulator, PrintsItsUrlAndServesTheDemo) {
  Program program({"--for=1m"});
  const std::string url = program.line();
  EXPECT_THAT(url, StartsWith("http://127.0.0.1:"));
  CurlClient client;
  for (const char* name : {"acme", "globex", "initech"}) {
    EXPECT_EQ(client.get(url + "/me", std::string("demo-token-") + name).data()["name"], name);
  }
  EXPECT_EQ(program.stop(SIGTERM), 0);
}

TEST(Simulator, StopsOnCtrlCWhileAClientWaits) {
  Program program({"--for=1m", "--fault", "hang=before"});
  const std::string url = program.line();
  CurlClient client;
  client.timeout_ms = 50;
  EXPECT_EQ(client.get(url + "/me", "demo-token-acme").result, CURLE_OPERATION_TIMEDOUT);
  EXPECT_EQ(program.stop(SIGINT), 0);
}

TEST(Simulator, GeneratesAccountsOfASize) {
  Program program(
      {"--for=1m", "--size=small", "--accounts=2", "--knob=total=off", "--evolve=off", "--speed=0"});
  const std::string url = program.line();
  CurlClient client;
  EXPECT_EQ(client.get(url + "/jobs", "token-account-0002").list().size(), 10u);
  EXPECT_FALSE(client.get(url + "/jobs", "token-account-0002").data().contains("total"));
}

TEST(Simulator, EndsByItself) {
  Program program({"--for=1s"});
  EXPECT_EQ(program.wait(), 0);
}

TEST(Simulator, HelpsANewcomer) {
  Program program({"--help"});
  EXPECT_THAT(program.all_output(),
              ::testing::AllOf(HasSubstr("--listen"), HasSubstr("demo-token-acme"), HasSubstr("retry_after="),
                               HasSubstr("/_simulator/clock")));
  EXPECT_EQ(program.wait(), 0);
}

TEST(Simulator, RefusesWhatItDoesNotUnderstand) {
  for (const char* argument : {"--colour=red", "--size=huge", "--listen=here", "--accounts=many",
                               "--knob=total", "--tls-cert=only.pem", "--speed"}) {
    Program program({argument});
    EXPECT_THAT(program.all_output(), StartsWith("sqlbak-simulator: ")) << argument;
    EXPECT_EQ(program.wait(), 2) << argument;
  }
  Program program({"--fault=nonsense"});
  EXPECT_THAT(program.all_output(), HasSubstr("a fault has no \"nonsense\""));
  EXPECT_EQ(program.wait(), 1);
}

}  // namespace
}  // namespace sqlbak_gateway::simulator::testing
