// The scrape configurations in etc/prometheus, checked by Prometheus's own promtool.
#include "config/config_directory.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

struct Ended {
  int status = -1;
  std::string output;
};

Ended run(const std::string& command) {
  Ended ended;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ended.output.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::vector<std::string> scrape_configurations() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(SQLBAK_GATEWAY_SOURCE_DIR "/etc/prometheus")) {
    if (entry.path().extension() == ".yml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class ScrapeConfiguration : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (run("promtool --version").status != 0)
      GTEST_SKIP() << "promtool (package prometheus) is not installed";
  }
  // The file as on a machine where the credentials and certificates it names are there.
  std::string installed() const {
    dir.write("gateway-password", "password");
    dir.write("gateway-token", "token");
    dir.write("gateway-ca.pem", "");
    return dir.write("prometheus.yml",
                     with_replaced(text_of(GetParam()), "/etc/prometheus/", dir.path() + '/'));
  }
  const ConfigDirectory dir;
};

TEST_P(ScrapeConfiguration, IsAcceptedByPromtool) {
  const Ended check = run("promtool check config " + installed());
  EXPECT_EQ(check.status, 0) << check.output;
}

// Prometheus takes credentials and TLS for the scrapes from beside http_sd_configs, not from within.
TEST_P(ScrapeConfiguration, GivesCredentialsAndTlsForDiscoveryAndForScrapes) {
  const std::string text = text_of(GetParam());
  const auto count = [&](const std::string& what) {
    int found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  if (count("https://") == 0) return;
  EXPECT_EQ(count("\n    basic_auth:") + count("\n    authorization:"), 2);
  EXPECT_EQ(count("\n        basic_auth:") + count("\n        authorization:"), 1);
  EXPECT_EQ(count("\n    tls_config:"), 2);
  EXPECT_EQ(count("\n        tls_config:"), 1);
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Directory, ScrapeConfiguration, ::testing::ValuesIn(scrape_configurations()),
                         test_name);

}  // namespace
}  // namespace sqlbak_gateway::config::testing
