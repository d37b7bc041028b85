// A directory of configuration files that lives as long as a test, and the words the tests of this layer are
// written in.
#pragma once

#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/environment.h"
#include "sqlbak_gateway/config/load.h"
#include "support/manual_clock.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {

using Variables = std::map<std::string, std::string>;

inline Environment environment_of(const Variables& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto variable = variables.find(name);
    return variable == variables.end() ? std::nullopt : std::optional(variable->second);
  };
}

inline CheckedFiles checked_files(const Config& config, const Variables& variables = {}) {
  const TokenReader reader(environment_of(variables));
  const sqlbak_gateway::testing::ManualClock clock;
  return check_files(config, BoundedTokens(reader, clock));
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline std::string with_replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class ConfigDirectory {
 public:
  ConfigDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "sqlbak-config-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = std::filesystem::canonical(name);
  }
  ConfigDirectory(const ConfigDirectory&) = delete;
  ConfigDirectory& operator=(const ConfigDirectory&) = delete;
  ~ConfigDirectory() { std::filesystem::remove_all(root_); }

  std::string path(const std::string& name = {}) const {
    return name.empty() ? root_.string() : (root_ / name).string();
  }

  // Writes a file, and the directories above it.
  std::string write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
    return path(name);
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(root_ / name); }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, root_ / name);
  }

  LoadOutcome load(LoadMode mode = LoadMode::check, const Variables& variables = {}) const {
    LoadOptions options;
    options.mode = mode;
    options.environment = environment_of(variables);
    return config::load(path("gateway.toml"), options);
  }
  LoadOutcome reload(const Config& running, const Variables& variables = {}) const {
    LoadOptions options;
    options.mode = LoadMode::reload;
    options.environment = environment_of(variables);
    options.running = &running;
    return config::load(path("gateway.toml"), options);
  }
  // The configuration in gateway.toml, which must be without a mistake.
  Config loaded(const Variables& variables = {}) const {
    LoadOutcome outcome = load(LoadMode::check, variables);
    EXPECT_EQ(lines(outcome.errors), std::vector<std::string>{});
    return outcome.config.value_or(Config{});
  }

  // As to_text() writes them, with this directory as "$DIR".
  std::vector<std::string> lines(const std::vector<Diagnostic>& diagnostics) const {
    std::vector<std::string> texts;
    for (const Diagnostic& diagnostic : diagnostics)
      texts.push_back(with_replaced(to_text(diagnostic), path(), "$DIR"));
    return texts;
  }

 private:
  std::filesystem::path root_;
};

// gtest prints a failed comparison of vectors one element after the other.
using Lines = std::vector<std::string>;

}  // namespace sqlbak_gateway::config::testing
