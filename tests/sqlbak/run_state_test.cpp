// The tables of a run's states: what always holds of them, and that docs/remembering.md shows the same.
// UPDATE_GOLDEN=1 writes the tables of that page anew.
#include "sqlbak/run_state.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak {
namespace {

using enum Known;

constexpr std::array kStates = {none, settled, open, idle, missing, vanished, vanished_open};
constexpr std::array kDetails = {Details::unread,     Details::doubted,    Details::endpoint_failed,
                                 Details::unreadable, Details::unfinished, Details::finished,
                                 Details::empty,      Details::not_found};
constexpr std::array kPresences = {Presence::unseen, Presence::listed, Presence::gone};
constexpr std::array kWorths = {Worth::lasting, Worth::fleeting, Worth::old};
static_assert(kStates.size() == kKnownCount && kDetails.size() == kDetailsCount);
static_assert(kPresences.size() == kPresenceCount && kWorths.size() == kWorthCount);

void in_every_case(const std::function<void(Known, Presence, Worth)>& check) {
  for (const Known known : kStates) {
    for (const Presence presence : kPresences) {
      for (const Worth worth : kWorths) check(known, presence, worth);
    }
  }
}

bool has_vanished(Known known) {
  return known == vanished || known == vanished_open;
}
bool is_read_again(Known known) {
  return known == open || known == vanished_open || known == missing;
}

TEST(RunState, IsTheSameForEveryRunThatWasRead) {
  for (const Known known : kStates) {
    EXPECT_EQ(after_details(known, Details::unfinished), open);
    EXPECT_EQ(after_details(known, Details::finished), settled);
    EXPECT_EQ(after_details(known, Details::empty), idle);
    EXPECT_EQ(after_details(known, Details::not_found), missing);
  }
}

TEST(RunState, StaysWhereNothingIsLearned) {
  for (const Known known : kStates) {
    EXPECT_EQ(after_details(known, Details::unread), known);
    EXPECT_EQ(after_lists(known, Presence::unseen, Worth::lasting), known);
  }
}

TEST(RunState, IsReadAgainOnceItsOwnDetailsFail) {
  for (const Known known : kStates) EXPECT_TRUE(is_read_again(after_details(known, Details::unreadable)));
}

TEST(RunState, OutlivesAnOutageOfTheEndpoint) {
  for (const Known known : kStates) {
    EXPECT_EQ(after_details(known, Details::endpoint_failed), known == none ? open : known);
  }
}

TEST(RunState, IsReadAgainOnceItIsDoubted) {
  for (const Known known : kStates) {
    const Known doubted = after_details(known, Details::doubted);
    EXPECT_TRUE(is_read_again(doubted) || doubted == none);
    EXPECT_EQ(has_vanished(doubted), has_vanished(known));
  }
}

TEST(RunState, ComesBackWithTheList) {
  in_every_case([](Known known, Presence presence, Worth worth) {
    if (presence == Presence::listed) {
      EXPECT_FALSE(has_vanished(after_lists(known, presence, worth)));
    }
  });
  EXPECT_EQ(after_lists(vanished, Presence::listed, Worth::lasting), settled);
  EXPECT_EQ(after_lists(vanished_open, Presence::listed, Worth::lasting), open);
}

TEST(RunState, OfALastingRunIsNeverLost) {
  in_every_case([](Known known, Presence presence, Worth worth) {
    if (worth != Worth::lasting || known == none || known == idle) return;
    const Known next = after_lists(known, presence, worth);
    EXPECT_NE(next, none);
    EXPECT_NE(next, idle);
    EXPECT_EQ(is_read_again(next), is_read_again(known));
  });
}

TEST(RunState, OfARunThatIsGoneIsKeptOnlyIfItLasts) {
  in_every_case([](Known known, Presence presence, Worth worth) {
    if (presence != Presence::gone) return;
    const Known next = after_lists(known, presence, worth);
    EXPECT_TRUE(next == none || has_vanished(next) || next == missing);
    if (worth != Worth::lasting) EXPECT_EQ(next, none);
  });
}

TEST(RunState, OfAnOldRunIsNeitherSettledNorVanished) {
  in_every_case([](Known known, Presence presence, Worth worth) {
    if (worth != Worth::old) return;
    const Known next = after_lists(known, presence, worth);
    EXPECT_FALSE(next == settled || has_vanished(next));
  });
}

TEST(RunState, IsNeverInventedByAList) {
  in_every_case([](Known known, Presence presence, Worth worth) {
    const Known next = after_lists(known, presence, worth);
    if (known == none) EXPECT_EQ(next, none);
    EXPECT_EQ(next == missing, known == missing && next != none);
    if (is_read_again(next)) EXPECT_TRUE(is_read_again(known));
  });
}

TEST(RunState, ReachesEveryStateAndReturnsToNone) {
  const auto reached_from = [](Known first) {
    std::set<Known> reached = {first};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const Known known : std::set<Known>(reached)) {
        for (const Details details : kDetails) {
          for (const Presence presence : kPresences) {
            for (const Worth worth : kWorths)
              reached.insert(after_lists(after_details(known, details), presence, worth));
          }
        }
      }
    }
    return reached;
  };
  EXPECT_EQ(reached_from(none).size(), kKnownCount);
  for (const Known known : kStates) EXPECT_TRUE(reached_from(known).contains(none));
}

// --- docs/remembering.md ---

std::string_view name(Known known) {
  constexpr std::array<std::string_view, kKnownCount> names = {"none",    "settled",  "open",          "idle",
                                                               "missing", "vanished", "vanished, open"};
  return names[static_cast<std::size_t>(known)];
}

std::string row(Known known, const std::vector<std::string>& cells) {
  std::string text = "| **" + std::string(name(known)) + "** |";
  for (const std::string& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

std::string details_table() {
  std::string text =
      "| known | unread | doubted | endpoint failed | unreadable | unfinished | finished | empty | not found "
      "|\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (const Known known : kStates) {
    std::vector<std::string> cells;
    for (const Details details : kDetails) cells.emplace_back(name(after_details(known, details)));
    text += row(known, cells);
  }
  return text;
}

std::string lists_table() {
  std::string text = "| known | unseen | listed | gone |\n|---|---|---|---|\n";
  for (const Known known : kStates) {
    std::vector<std::string> cells;
    for (const Presence presence : kPresences) {
      const Known lasting = after_lists(known, presence, Worth::lasting);
      const Known fleeting = after_lists(known, presence, Worth::fleeting);
      const Known old = after_lists(known, presence, Worth::old);
      std::string cell(name(lasting));
      if (fleeting != lasting && fleeting == old) {
        cell += "; fleeting or old: " + std::string(name(old));
      } else {
        if (fleeting != lasting) cell += "; fleeting: " + std::string(name(fleeting));
        if (old != lasting) cell += "; old: " + std::string(name(old));
      }
      cells.push_back(cell);
    }
    text += row(known, cells);
  }
  return text;
}

// Puts `table` into the page, in place of the one between the two comments that name it.
std::string with_table(std::string page, const std::string& mark, const std::string& table) {
  const std::string begin = "<!-- table: " + mark + " -->\n";
  const std::string end = "<!-- end of table -->\n";
  const std::size_t from = page.find(begin);
  const std::size_t to = from == page.npos ? page.npos : page.find(end, from);
  if (to == page.npos) return "the page has no table " + mark;
  return page.replace(from + begin.size(), to - from - begin.size(), table);
}

TEST(RunState, IsDocumentedAsItIs) {
  const std::filesystem::path path = std::filesystem::path(SQLBAK_GATEWAY_SOURCE_DIR) / "docs/remembering.md";
  std::stringstream page;
  page << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string expected =
      with_table(with_table(page.str(), "details", details_table()), "lists", lists_table());
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(path, std::ios::binary) << expected;
  EXPECT_TRUE(page.str() == expected || std::getenv("UPDATE_GOLDEN"))
      << "docs/remembering.md differs from src/sqlbak/run_state.h: UPDATE_GOLDEN=1 writes its tables anew";
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
