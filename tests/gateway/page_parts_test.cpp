// The parts of the page for people that need no gateway: escaping, addresses, words for numbers.
#include "gateway/page/account_list.h"
#include "gateway/page/page_assets.h"
#include "gateway/page/words.h"
#include "sqlbak_gateway/base/text.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string escaped(std::string_view text) {
  std::string html;
  append_escaped(html, text);
  return html;
}

TEST(Html, LiteralsAreMarkupAndEverythingElseIsText) {
  const std::string name = "<b>&\"'";
  Html html;
  html << "<p title=\"" << name << "\">" << std::string_view(name) << std::uint64_t{7} << "</p>";
  EXPECT_EQ(html.take(), "<p title=\"&lt;b&gt;&amp;&quot;&#39;\">&lt;b&gt;&amp;&quot;&#39;7</p>");
}

TEST(Html, InvalidCharactersAreReplaced) {
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escaped("\x1b\x7f"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xff<"), "\xEF\xBF\xBD&lt;");
  EXPECT_EQ(escaped("Zürich\t日本\n"), "Zürich\t日本\n");
}

class ListQueryTest : public ::testing::Test {
 protected:
  static ListQuery asked(std::vector<http::NamedValue> parameters) {
    http::Request request;
    request.query = std::move(parameters);
    return list_query(request, account_list().options);
  }
  static std::string address_of(std::vector<http::NamedValue> parameters) {
    return to_address(asked(std::move(parameters)), account_list().options);
  }
};

TEST_F(ListQueryTest, DefaultIsAllRowsWorstFirst) {
  const ListQuery query = asked({});
  EXPECT_EQ(query.sort, "state");
  EXPECT_TRUE(query.descending);
  EXPECT_EQ(query.show, "");
  EXPECT_EQ(query.page, 1u);
  EXPECT_EQ(to_address(query, account_list().options), "?");
}

TEST_F(ListQueryTest, AddressReadsBackAsWritten) {
  for (const std::vector<http::NamedValue>& parameters :
       std::vector<std::vector<http::NamedValue>>{{{"q", "erp & co"}},
                                                  {{"show", "at-risk"}, {"sort", "late"}},
                                                  {{"sort", "account"}, {"order", "desc"}, {"page", "7"}},
                                                  {{"order", "asc"}}}) {
    const ListQuery query = asked(parameters);
    std::vector<http::NamedValue> again;
    std::string rest = to_address(query, account_list().options).substr(1);
    while (!rest.empty()) {
      const std::string one = rest.substr(0, rest.find('&'));
      rest.erase(0, one.size() + 1);
      const std::size_t equals = one.find('=');
      again.push_back({one.substr(0, equals), *percent_decoded(one.substr(equals + 1))});
    }
    EXPECT_EQ(asked(again), query);
    EXPECT_EQ(again, parameters);
  }
}

TEST_F(ListQueryTest, InvalidParametersKeepTheirDefaults) {
  EXPECT_EQ(
      address_of({{"show", "<script>"}, {"sort", "nonsense"}, {"order", "up"}, {"page", "-1"}, {"x", "y"}}),
      "?");
  EXPECT_EQ(asked({{"page", "99999999999999999999"}}).page, 1u);
  EXPECT_EQ(asked({{"page", "0"}}).page, 1u);
}

TEST_F(ListQueryTest, FilterIsBoundedAndValidUtf8) {
  EXPECT_EQ(asked({{"q", std::string(5000, 'a')}}).words.size(), kMaxFilterBytes);
  EXPECT_EQ(asked({{"q", "\xff"}}).words, "\xEF\xBF\xBD");
  EXPECT_EQ(asked({{"q", "  ACME   gold "}}).terms(), (std::vector<std::string>{"acme", "gold"}));
}

TEST_F(ListQueryTest, PageAfterTheLastIsTheLast) {
  ListQuery query;
  query.page = 9;
  const PageOfList page = page_of_list(query, 250, 100);
  EXPECT_EQ(page.page, 3u);
  EXPECT_EQ(page.first, 200u);
  EXPECT_EQ(page.count, 50u);
  EXPECT_EQ(page_of_list(query, 0, 100).pages, 1u);
  EXPECT_EQ(page_of_list(query, 0, 100).count, 0u);
}

TEST(Words, DurationsHaveTwoUnitsAtMost) {
  EXPECT_EQ(duration_in_words(milliseconds(0)), "0 ms");
  EXPECT_EQ(duration_in_words(milliseconds(350)), "350 ms");
  EXPECT_EQ(duration_in_words(milliseconds(2450)), "2.4 s");
  EXPECT_EQ(duration_in_words(seconds(42)), "42 s");
  EXPECT_EQ(duration_in_words(seconds(200)), "3 min 20 s");
  EXPECT_EQ(duration_in_words(minutes(59)), "59 min");
  EXPECT_EQ(duration_in_words(minutes(125)), "2 h 5 min");
  EXPECT_EQ(duration_in_words(hours(103)), "4 d 7 h");
  EXPECT_EQ(duration_in_words(hours(48)), "2 d");
  EXPECT_EQ(duration_in_words(-seconds(5)), "0 ms");
  EXPECT_EQ(age_in_words(milliseconds(900)), "0 s");
  EXPECT_EQ(age_in_words(milliseconds(2900)), "2 s");
}

TEST(Words, NumbersAreReadable) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "job", "jobs"), "1 job");
  EXPECT_EQ(counted(1000, "job", "jobs"), "1,000 jobs");
}

TEST(Words, EveryFailureHasARemedy) {
  for (const FailureReason reason : kFailureReasons) {
    EXPECT_FALSE(words(reason).empty());
    EXPECT_FALSE(remedy(reason).empty());
  }
}

TEST(Words, SubsetsAreTheStates) {
  const std::vector<std::string_view>& subsets = account_list().options.subsets;
  ASSERT_EQ(subsets.size(), kStandings.size());
  for (std::size_t i = 0; i < kStandings.size(); ++i) EXPECT_EQ(subsets[i], key(kStandings[i]));
}

TEST(Stale, FollowsTheAlertAndTheConfiguration) {
  config::AccountConfig config;
  EXPECT_EQ(stale_after(config), hours(3));
  config.cache_ttl = hours(5);
  EXPECT_EQ(stale_after(config), hours(10));
  config.max_stale = hours(6);
  EXPECT_EQ(stale_after(config), hours(6));
}

TEST(PageAssets, AddressesChangeWithContent) {
  for (const PageAsset asset : kPageAssets) {
    EXPECT_EQ(page_asset(path(asset)), asset);
    EXPECT_EQ("/" + address(asset).substr(0, address(asset).find('?')), path(asset));
    EXPECT_FALSE(content(asset).empty());
    EXPECT_EQ(content(asset).find("http://www.w3.org/2000/svg") == std::string_view::npos,
              asset != PageAsset::icon);
  }
  EXPECT_FALSE(page_asset("/assets/../gateway.toml"));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
