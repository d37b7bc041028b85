// Whole expositions of hand-written accounts, in every mode of names. After a change that is meant, look at
// the differences that UPDATE_GOLDEN=1 makes in tests/exposition/golden.
#include "exposition/accounts.h"
#include "exposition/parsed_exposition.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using exposition::NameMode;

const std::filesystem::path kFolder =
    std::filesystem::path(SQLBAK_GATEWAY_SOURCE_DIR) / "tests/exposition/golden";
const std::vector<std::pair<NameMode, std::string>> kModes = {
    {NameMode::seed, "seed"}, {NameMode::clean, "clean"}, {NameMode::both, "both"}};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Golden, ExpositionsAreAsTheyWere) {
  const bool update = std::getenv("UPDATE_GOLDEN") != nullptr;
  std::set<std::filesystem::path> files;
  for (const NamedAccount& account : hand_written_accounts()) {
    for (const auto& [mode, name] : kModes) {
      const auto file = kFolder / (account.name + "." + name + ".prom");
      const std::string text = exposition_of(account, mode);
      EXPECT_EQ(parse_exposition(text).fault, "") << file;
      if (update) std::ofstream(file, std::ios::binary) << text;
      EXPECT_EQ(read(file), text) << file;
      files.insert(file);
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    EXPECT_TRUE(files.contains(entry.path())) << entry.path() << " belongs to no account";
  }
}

}  // namespace
}  // namespace sqlbak_gateway::testing
